"""Messages that pages write for a person."""

from __future__ import annotations

import pytest

from tests.support.outbox import row_of
from webmail.compose import identities
from webmail.compose.outbox import queue, written
from webmail.database.connection import db
from webmail.mail import Address, Draft, Identity
from webmail.models import Outbox, OutboxState

TO = (Address("", "zoe@x.example"),)


def draft(alice, address: str = "") -> Draft:
    return Draft(
        Identity("", address or alice.address), to=TO, subject="Accepted: Conseil", text="Oui\n", message_id="<1@x.example>"
    )


def enqueue(alice, settings, about: str = "one", address: str = "") -> Outbox:
    return written.enqueue(alice, draft(alice, address), written.named(alice, about), settings, None)


def test_the_same_waits_once_and_leaves_after_the_undo_delay(alice, settings) -> None:
    first, second, other = enqueue(alice, settings), enqueue(alice, settings), enqueue(alice, settings, "two")
    assert first.id == second.id != other.id
    row = row_of(first)
    assert (row.state, row.sender, row.subject) == (OutboxState.WAITING, alice.address, "Accepted: Conseil")
    assert (row.due - row.created).total_seconds() == pytest.approx(queue.undo_seconds(alice, settings), abs=2)


def test_one_that_was_undone_leaves_if_it_is_sent_again(alice, settings) -> None:
    first = enqueue(alice, settings)
    assert queue.undo(alice, first.id) is not None
    assert row_of(first).state == OutboxState.CANCELLED
    assert enqueue(alice, settings).id == first.id
    assert row_of(first).state == OutboxState.WAITING and row_of(first).content


def test_what_fails_around_it_sends_nothing(alice, settings) -> None:
    with pytest.raises(RuntimeError), db.atomic():
        enqueue(alice, settings)
        raise RuntimeError
    assert not Outbox.select().exists()


def test_nobody_writes_from_an_address_of_others(alice, settings) -> None:
    with pytest.raises(identities.NotYoursError):
        enqueue(alice, settings, address="other@x.example")
