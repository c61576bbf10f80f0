"""Replies of guests that arrive by mail: noted by the worker, though their organiser opens nothing."""

from __future__ import annotations

from datetime import datetime

import pytest

from tests.integration.message.test_invitations import event_of, mail, own_event
from tests.support.calendar_texts import calendar
from tests.support.meetings import answer
from tests.support.visits import Visitor
from webmail.database.connection import db
from webmail.message import meeting_replies
from webmail.models import ReplySearch, SentInvitation, User

LINES = "DTSTART;TZID=Europe/Paris:{0}T090000|DTEND;TZID=Europe/Paris:{0}T100000|SUMMARY:Conseil|SEQUENCE:1"


@pytest.fixture
def organiser(checking_app, make_account):
    """She invited Bob and Cat to something in 2030."""
    visitor = Visitor(checking_app, make_account("zina")).sign_in()
    plan(visitor, "20301210")
    return visitor


def plan(visitor: Visitor, day: str) -> None:
    guests = f"ORGANIZER:mailto:{visitor.address}|ATTENDEE:mailto:bob@x.example|ATTENDEE:mailto:cat@x.example"
    own_event(visitor, calendar(f"{LINES.format(day)}|{guests}", uid="conseil"))
    user = User.get(User.address == visitor.address)
    sent = {"user": user, "uid": "conseil", "method": "REQUEST", "batch": "b", "at": datetime(2026, 12, 1)}
    SentInvitation.insert(digest=f"d{user.id}", recipient="bob@x.example", **sent).execute()


def reply(word: str, who: str = "bob", *, proven: bool = True):
    lines = f"SEQUENCE:1|ATTENDEE;PARTSTAT={word}:mailto:{who}@x.example"
    text = calendar(lines, uid="conseil").replace("BEGIN:VEVENT", "METHOD:REPLY\r\nBEGIN:VEVENT", 1)
    return mail(text, "REPLY", f"{who}@x.example", proven=proven)


def look(visitor: Visitor) -> int:
    with db.connection_context():
        return meeting_replies.sweep(visitor.client.application.extensions["settings"])


def test_each_is_noted_when_it_arrives_and_none_when_it_is_not_proven(organiser, fill):
    fill(organiser, mail("x", "REQUEST"), reply("ACCEPTED"))
    assert look(organiser) == 1 and answer(event_of(organiser).text, "bob") == "accepted"
    assert look(organiser) == 0
    fill(organiser, reply("DECLINED"), reply("DECLINED", "cat", proven=False))
    assert look(organiser) == 1 and answer(event_of(organiser).text, "bob") == "declined"
    assert answer(event_of(organiser).text, "cat") == "needs-action"
    fill(organiser, reply("ACCEPTED"))
    assert look(organiser) == 1 and answer(event_of(organiser).text, "bob") == "accepted"


def test_a_flood_is_read_piece_by_piece(organiser, fill, monkeypatch):
    assert look(organiser) == 0  # it is known how far the inbox is read
    monkeypatch.setattr(meeting_replies, "_MOST_READ", 2)
    fill(organiser, *(reply("DECLINED", "cat", proven=False) for _one in range(4)), reply("ACCEPTED"))
    assert [look(organiser), look(organiser), look(organiser), look(organiser)] == [0, 0, 1, 0]
    assert answer(event_of(organiser).text, "bob") == "accepted"


def test_a_message_that_cannot_be_judged_keeps_no_other_from_being_noted(organiser, fill, monkeypatch):
    fill(organiser, reply("DECLINED", "cat"), reply("ACCEPTED"))
    judge = meeting_replies.sender_check.judge

    def fails_for_cat(message, *about, **more):
        if message.envelope.sender[0].email.startswith("cat"):
            raise ValueError("what nobody thought of")
        return judge(message, *about, **more)

    monkeypatch.setattr(meeting_replies.sender_check, "judge", fails_for_cat)
    assert look(organiser) == 1 and answer(event_of(organiser).text, "bob") == "accepted"
    assert look(organiser) == 0


def test_nobody_is_looked_at_whose_meetings_are_over(checking_app, make_account, fill):
    visitor = Visitor(checking_app, make_account("yan")).sign_in()
    plan(visitor, "20201210")
    fill(visitor, reply("ACCEPTED"))
    look(visitor)
    assert answer(event_of(visitor).text, "bob") == "needs-action"
    assert not ReplySearch.select().where(ReplySearch.user == User.get(User.address == visitor.address)).exists()
