"""Replies that do not fit: of people who are not invited, who come instead of others, who propose other times."""

from __future__ import annotations

import json

import pytest

from tests.support.calendar_texts import calendar
from tests.support.visits import Visitor
from tests.unit.calendar.test_organising import leave, new, part, row, told, url, waiting
from webmail.calendar import editing, invitations, meeting_mail
from webmail.calendar.guests import guest_replies, mail_replies
from webmail.calendar.invitations import IncomingEvents
from webmail.itip.permission import MailSender
from webmail.models import GuestReply, User

EVE, MALLORY, DAN = "eve@elsewhere.example", "mallory@elsewhere.example", "dan@elsewhere.example"
TIMES = "DTSTART;TZID=Europe/Paris:20271208T{0}0000|DTEND;TZID=Europe/Paris:20271208T{1}0000|SUMMARY:Conseil"


@pytest.fixture
def heard(app):
    """A mail arrives; whether it says anything new."""

    def hear(
        lines: str, method: str = "reply", sender: str = MALLORY, *, proven: bool = True, stamp: str = "20271201T000000Z"
    ) -> bool:
        alice, settings = User.get(User.address == "alice@lycee.example"), app.extensions["settings"]
        text = calendar(lines, uid=row().uid).replace("DTSTAMP:20260101T000000Z", f"DTSTAMP:{stamp}")

        def read() -> IncomingEvents:
            me = meeting_mail.addresses_of(alice, settings)
            return invitations.read(text, editing.calendars(alice), me, MailSender(sender, proven), method)

        news = mail_replies.is_news(read(), alice)
        mail_replies.note(read(), alice, settings)
        assert not mail_replies.is_news(read(), alice)
        return news

    return hear


def answer(who: str, word: str, more: str = "", comment: str = "") -> str:
    return f"SEQUENCE:0|ATTENDEE;CN=M. Ory;PARTSTAT={word}{more}:mailto:{who}" + (f"|COMMENT:{comment}" if comment else "")


def decide(alice: Visitor, form: str, action: str):
    return alice.submit(alice.get(url()), f"form[{form}]", action=action)


def test_who_is_not_invited_and_answers_is_kept_apart_and_added_by_the_organiser_alone(alice, heard):
    new(alice, invite=EVE)
    leave()
    assert heard(answer(MALLORY, "ACCEPTED", comment="Je viens !"))
    page = alice.get(url())
    assert MALLORY not in row().text and not page.all(f"[data-attendee='{MALLORY}']")
    words = page.one(f"[data-uninvited='{MALLORY}']").text
    assert "M. Ory" in words and "accepted" in words and "Je viens !" in words and "forwarded" in words
    page = decide(alice, f"data-uninvited='{MALLORY}'", "add")
    assert page.one(f"[data-attendee='{MALLORY}']")["data-answer"] == "accepted" and not page.all("[data-uninvited]")
    assert told(waiting()) == [("REQUEST", [MALLORY])], "the others are told nothing"
    page = alice.submit(page, "form[action='/calendar/changes/undo']")
    assert not waiting() and MALLORY not in row().text and alice.get(url()).all("[data-uninvited]")


def test_a_reply_too_long_to_be_kept_is_not_asked_about(alice, heard):
    """Cut, it could not be read, and adding its sender would break."""
    new(alice, invite=EVE)
    leave()
    assert not heard(answer(MALLORY, "ACCEPTED", comment="x" * 100_001))
    assert not alice.get(url()).all("[data-uninvited]")


def test_who_is_left_out_stays_so_whatever_they_send(alice, heard):
    new(alice, invite=EVE)
    leave()
    heard(answer(MALLORY, "ACCEPTED"))
    page = decide(alice, f"data-uninvited='{MALLORY}'", "leave")
    assert not page.all("[data-uninvited]") and not waiting() and MALLORY not in row().text
    heard(answer(MALLORY, "TENTATIVE"), stamp="20271202T000000Z")
    assert not alice.get(url()).all("[data-uninvited]")


def test_a_second_click_and_another_person_decide_nothing(alice, bob, heard):
    new(alice, invite=EVE)
    leave()
    heard(answer(MALLORY, "ACCEPTED"))
    number = GuestReply.get().id
    assert bob.post(url("/replies"), {"reply": number, "action": "add"}).status in (400, 404)
    page = alice.get(url())
    decide(alice, f"data-uninvited='{MALLORY}'", "add")
    leave()
    again = alice.submit(page, f"form[data-uninvited='{MALLORY}']", action="add")
    assert "already" in again.notices and not waiting()


def test_nothing_of_the_uninvited_is_kept_that_is_not_proven_nor_more_than_some(alice, monkeypatch, heard):
    new(alice, invite=EVE)
    assert not heard(answer(MALLORY, "ACCEPTED"), proven=False) and not heard(answer(MALLORY, "ACCEPTED"), sender=DAN)
    monkeypatch.setattr(guest_replies, "_MOST", 2)
    for number in range(2):
        heard(answer(f"m{number}@elsewhere.example", "ACCEPTED"), sender=f"m{number}@elsewhere.example")
    with pytest.raises(AssertionError):  # it stays news
        heard(answer(MALLORY, "ACCEPTED"))
    assert len(alice.get(url()).all("[data-uninvited]")) == 2


def test_somebody_comes_instead_and_is_a_guest_from_then_on(alice, heard):
    new(alice, invite=EVE)
    leave()
    line = f'|ATTENDEE;CN=Dan;RSVP=TRUE;DELEGATED-FROM="mailto:{EVE}":mailto:{DAN}'
    heard(answer(EVE, "DELEGATED", f';DELEGATED-TO="mailto:{DAN}"') + line, sender=EVE)
    page = alice.get(url())
    assert f"sends {DAN} in their place" in page.one(f"[data-attendee='{EVE}']").text
    assert (
        f"in place of {EVE}" in page.one(f"[data-attendee='{DAN}']").text and "Dan" in page.one(f"[data-attendee='{DAN}']").text
    )
    heard(answer(DAN, "ACCEPTED"), sender=DAN)
    assert alice.get(url()).one(f"[data-attendee='{DAN}']")["data-answer"] == "accepted"


def test_who_sends_another_person_or_comes_after_all_leaves_no_crowd_behind(alice, heard):
    new(alice, invite=EVE)
    for day, who in enumerate(("d1@x.example", "d2@x.example", "d3@x.example"), 1):
        heard(answer(EVE, "DELEGATED", f';DELEGATED-TO="mailto:{who}"'), sender=EVE, stamp=f"2027120{day}T000000Z")
    assert [one["data-attendee"] for one in alice.get(url()).all("[data-attendee]")] == [EVE, "d3@x.example"]
    heard(answer(EVE, "ACCEPTED"), sender=EVE, stamp="20271205T000000Z")
    assert [one["data-attendee"] for one in alice.get(url()).all("[data-attendee]")] == [EVE]
    for bad in ("alice@lycee.example", EVE, "x", "a b@x.example", "a@x.example;X=1"):
        heard(answer(EVE, "DELEGATED", f';DELEGATED-TO="mailto:{bad}"'), sender=EVE, stamp="20271206T000000Z")
        heard(answer(EVE, "ACCEPTED"), sender=EVE, stamp="20271207T000000Z")
        assert [one["data-attendee"] for one in alice.get(url()).all("[data-attendee]")] == [EVE], bad


def proposal(who: str, hour: int = 14, comment: str = "") -> str:
    return f"{TIMES.format(hour, hour + 1)}|{answer(who, 'TENTATIVE', comment=comment)}"


def test_of_several_times_that_guests_propose_one_is_taken_and_the_others_are_gone(alice, heard):
    new(alice, invite=f"{EVE}, {DAN}")
    leave()
    heard(proposal(EVE, 14, "Plus tard ?"), "counter", EVE)
    heard(proposal(DAN, 10), "counter", DAN)
    page = alice.get(url())
    assert len(page.all("[data-proposal]")) == 2 and "Plus tard ?" in page.one(f"[data-proposal='{EVE}']").text
    page = decide(alice, f"data-proposal='{EVE}'", "take")
    assert not page.all("[data-proposal]") and "20271208T140000" in row().text
    [sent] = told(waiting())
    assert sent == ("REQUEST", [DAN, EVE])
    alice.submit(page, "form[action='/calendar/changes/undo']")
    assert len(alice.get(url()).all("[data-proposal]")) == 2 and not waiting()
    decide(alice, f"data-proposal='{EVE}'", "take")
    leave()
    heard(proposal(DAN, 10), "counter", DAN)
    assert not alice.get(url()).all("[data-proposal]"), "it is of the version before"


def test_a_time_that_is_not_taken_is_declined_to_its_guest_alone(alice, heard):
    new(alice, invite=f"{EVE}, {DAN}")
    leave()
    heard(proposal(EVE), "counter", EVE)
    page = decide(alice, f"data-proposal='{EVE}'", "keep")
    [sent] = waiting()
    assert json.loads(sent.recipients) == [EVE] and "METHOD:DECLINECOUNTER" in part(sent) and "20271207T170000" in row().text
    assert not page.all("[data-proposal]")
    heard(proposal(EVE), "counter", EVE)
    assert not alice.get(url()).all("[data-proposal]"), "the same once more"
    leave()
    heard(proposal(EVE, 15), "counter", EVE)
    assert alice.get(url()).all("[data-proposal]"), "another one"


def test_one_date_of_a_series_is_proposed_at_another_time(alice, heard):
    new(alice, invite=EVE, repeat="weekly", times="5")
    leave()
    at = "RECURRENCE-ID;TZID=Europe/Paris:20271214T170000"
    lines = TIMES.format(14, 15).replace("20271208", "20271215")
    heard(f"{at}|{lines}|{answer(EVE, 'TENTATIVE')}", "counter", EVE)
    heard(f"{TIMES.format(10, 11)}|{answer(EVE, 'TENTATIVE')}", "counter", EVE)
    page = alice.get(url())
    assert not page.all("button[value=take]"), "a series has no single other time"
    heard(f"{at}|{lines}|{answer(EVE, 'TENTATIVE')}", "counter", EVE)
    decide(alice, f"data-proposal='{EVE}'", "take")
    assert row().text.count("BEGIN:VEVENT") == 2 and "20271215T140000" in row().text
    assert told(waiting()) == [("REQUEST", [EVE])]
