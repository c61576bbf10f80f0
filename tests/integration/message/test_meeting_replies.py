"""Replies of guests that arrive by mail: noted by the worker, though their organiser opens nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Barrier

import pytest

from tests.integration.message.test_invitations import event_of, mail, own_event
from tests.support.calendar_texts import calendar
from tests.support.contact_pages import add
from tests.support.meetings import answer
from tests.support.settings_pages import choose
from tests.support.visits import Visitor
from webmail.database.connection import db
from webmail.message.arrivals import arrival_rounds, missed_mail
from webmail.models import CalendarObject, Collection, SearchedMailbox, SentInvitation, User

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


def look(visitor: Visitor, *, whole: bool = False) -> int:
    """The worker looks for what it was not told of, and reads it; how many replies it noted."""
    app = visitor.client.application
    with db.connection_context(), app.app_context():
        (missed_mail.sweep if whole else missed_mail.sweep_inboxes)(app.extensions["settings"])
        return arrival_rounds.sweep(app.extensions["settings"])


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
    monkeypatch.setattr(arrival_rounds, "_MOST_READ", 2)
    fill(organiser, *(reply("DECLINED", "cat", proven=False) for _one in range(4)), reply("ACCEPTED"))
    assert [look(organiser), look(organiser), look(organiser), look(organiser)] == [0, 0, 1, 0]
    assert answer(event_of(organiser).text, "bob") == "accepted"


def test_a_message_that_cannot_be_judged_keeps_no_other_from_being_noted(organiser, fill, monkeypatch):
    fill(organiser, reply("DECLINED", "cat"), reply("ACCEPTED"))
    judge = arrival_rounds.sender_check.judge

    def fails_for_cat(message, *about, **more):
        if message.envelope.sender[0].email.startswith("cat"):
            raise ValueError("what nobody thought of")
        return judge(message, *about, **more)

    monkeypatch.setattr(arrival_rounds.sender_check, "judge", fails_for_cat)
    assert look(organiser) == 1 and answer(event_of(organiser).text, "bob") == "accepted"
    assert look(organiser) == 0


def test_two_workers_at_once_note_a_reply_once(organiser, fill):
    look(organiser)
    fill(organiser, reply("ACCEPTED"))
    app, start = organiser.client.application, Barrier(2)

    def work(_worker: int) -> int:
        with db.connection_context(), app.app_context():
            start.wait(30)
            return arrival_rounds.sweep(app.extensions["settings"])

    with db.connection_context():
        missed_mail.sweep_inboxes(app.extensions["settings"])
    with ThreadPoolExecutor(2) as workers:
        assert sorted(workers.map(work, range(2))) == [0, 1]
    assert answer(event_of(organiser).text, "bob") == "accepted" and look(organiser) == 0


def test_a_worker_that_dies_over_a_message_leaves_it_to_another(organiser, fill, monkeypatch):
    look(organiser)
    fill(organiser, reply("ACCEPTED"))

    def dies(*_about):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:  # it is noted, and that it was read is not
        patch.setattr(arrival_rounds.searched_mailboxes, "progress", dies)
        with pytest.raises(KeyboardInterrupt):
            look(organiser)
    assert look(organiser) == 0
    with db.connection_context():
        SearchedMailbox.update(due=1).execute()  # its lease is over
    written = event_of(organiser).etag
    assert look(organiser) == 0 and event_of(organiser).etag == written
    assert answer(event_of(organiser).text, "bob") == "accepted"
    with db.connection_context():
        assert not SearchedMailbox.select().where(SearchedMailbox.due > 0).exists()


def test_nobody_is_looked_at_whose_meetings_are_over(checking_app, make_account, fill):
    visitor = Visitor(checking_app, make_account("yan")).sign_in()
    plan(visitor, "20201210")
    fill(visitor, reply("ACCEPTED"))
    look(visitor)
    assert answer(event_of(visitor).text, "bob") == "needs-action"
    assert not SearchedMailbox.select().where(SearchedMailbox.user == User.get(User.address == visitor.address)).exists()


def test_what_does_not_fit_waits_on_the_organiser_s_page(organiser, fill):
    event = event_of(organiser)
    page = f"/calendar/events/{event.collection_id}/{event.href}"
    before = event.etag
    fill(organiser, reply("ACCEPTED", "mallory"), reply("ACCEPTED", "carol", proven=False))
    assert look(organiser) == 0 and event_of(organiser).etag == before
    assert [one["data-uninvited"] for one in organiser.get(page).all("[data-uninvited]")] == ["mallory@x.example"]
    other = f"{LINES.format('20301211')}|ATTENDEE;PARTSTAT=TENTATIVE:mailto:bob@x.example"
    text = calendar(other, uid="conseil").replace("BEGIN:VEVENT", "METHOD:COUNTER\r\nBEGIN:VEVENT", 1)
    fill(organiser, mail(text, "COUNTER", "bob@x.example"))
    assert look(organiser) == 0 and event_of(organiser).etag == before
    assert organiser.get(page).one("[data-proposal]")["data-proposal"] == "bob@x.example"


def test_an_invitation_of_a_contact_is_pencilled_in_before_anybody_opens_it_and_its_card_says_why(
    checking_app, make_account, fill
):
    guest = Visitor(checking_app, make_account("noe")).sign_in()
    add(guest, "Zoé", "zoe@x.example")
    choose(guest, pencil_in="known")
    lines = f"{LINES.format('20301210')}|ORGANIZER:mailto:{{}}|ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:{guest.address}"

    def invitation(sender: str, uid: str, *, proven: bool = True):
        text = calendar(lines.format(sender), uid=uid).replace("BEGIN:VEVENT", "METHOD:REQUEST\r\nBEGIN:VEVENT", 1)
        return mail(text, sender=sender, proven=proven, to=guest.address)

    user = User.get(User.address == guest.address)
    read = fill(
        guest,
        invitation("zoe@x.example", "conseil"),
        invitation("eve@x.example", "b"),
        invitation("zoe@x.example", "c", proven=False),
    )
    look(guest)
    there = CalendarObject.select(CalendarObject.uid).join(Collection).where(Collection.user == user)
    assert [row.uid for row in there] == ["conseil"]
    page = guest.get(f"/message/{read[0]}/INBOX")
    assert "Pencilled in because you have zoe@x.example in your contacts. Nothing was answered." in page.text
