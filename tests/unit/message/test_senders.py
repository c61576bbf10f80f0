"""Who is marked among forged and honest senders, and what a pupil may be called."""

from __future__ import annotations

import pytest

from tests.support import forgeries, senders
from webmail.models import User
from webmail.people import display_names


@pytest.fixture
def reader(alice: User) -> User:
    senders.make_colleagues()
    return User.get_by_id(alice.id)


def test_the_samples_are_large_enough() -> None:
    every = list(senders.table())
    honest = [one for one in every if one.is_honest]
    assert len(every) - len(honest) >= 133 and len(honest) >= 200
    assert len([one for one in honest if one.kind == "honest, with a surname of ours"]) >= 40
    assert len({one.written for one in every}) == len(every)


def test_forged_senders_are_marked_and_honest_ones_are_not(reader: User) -> None:
    unwarned, false = senders.mistakes(reader)
    assert len(unwarned) <= 5, unwarned
    assert len(false) <= 2, false


def test_a_pupil_is_called_as_the_administrator_said(reader: User) -> None:
    pupil = User.get(User.address == senders.PUPIL.address)
    taken = [
        name
        for name in senders.NAMES_OF_OTHERS
        if display_names.objection(pupil, name, forgeries.SETTINGS, pupil.address) is None
    ]
    assert taken == []
    refused = [name for name in senders.OWN_NAMES if display_names.objection(pupil, name, forgeries.SETTINGS, pupil.address)]
    assert refused == []
