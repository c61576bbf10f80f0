"""Rounds of handovers: one that nobody can deal with keeps no other one waiting."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from flask import Flask

from tests.support import calendar_ground as ground
from webmail.handover import rounds
from webmail.models import HandoverKind, MailboxHandover, User
from webmail.people import handovers
from webmail.people.handovers import HandoverTerms


@pytest.fixture
def app(tmp_path) -> Iterator[Flask]:
    with ground.application(tmp_path / "instance") as made:
        yield made


def handed_over(owner: User, person: User) -> MailboxHandover:
    return handovers.ask(owner, person, owner, HandoverTerms(HandoverKind.SUCCESSION, reason="Leaves"), ("lycee.example",))


def test_an_unexpected_error_ends_no_round(app: Flask, monkeypatch: pytest.MonkeyPatch, caplog) -> None:
    people = [ground.add(f"{local}@lycee.example") for local in ("leaver", "other", "heir")]
    broken, fine = handed_over(people[0], people[2]), handed_over(people[1], people[2])

    def advance(handover: MailboxHandover, _settings: object) -> bool:
        if handover.id == broken.id:
            raise ValueError("odd folder")
        return True

    monkeypatch.setattr(rounds, "advance", advance)
    with caplog.at_level(logging.ERROR):
        assert [one.id for one in rounds.sweep(app.extensions["settings"])] == [fine.id]
    assert "odd folder" in caplog.text
    found = handovers.find(broken.id)
    assert found is not None and found.problem
