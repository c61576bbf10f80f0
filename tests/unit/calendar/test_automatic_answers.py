"""What is done with an invitation before anybody looks: declined during an absence, or pencilled in, as the person chose."""

from __future__ import annotations

import email
from email import policy

import pytest
from flask import Flask, current_app

from tests.support.calendar_ground import calendar_of, put_text
from tests.support.visits import Page, Visitor
from webmail import preferences
from webmail.calendar import answering, editing, invitations, meeting_mail
from webmail.calendar.guests import automatic_answers
from webmail.calendar.guests.automatic_rows import AnswerKind, KnownAs
from webmail.calendar.invitations import IncomingEvents
from webmail.config.settings import Settings
from webmail.itip.permission import MailSender
from webmail.models import AutomaticAnswer, CalendarObject, Outbox, OutboxState, User

FORM = "form[data-event-form]"
AWAY = {
    "absence": "2027-12-06T23:00Z/2027-12-10T23:00Z",
    "absence_declines": "known",
    "absence_decline_text": "Back on the 11th.",
}
PENCIL = {"pencil_in": "known"}
EVE = MailSender("eve@elsewhere.example", True)
NOBODY = MailSender("eve@elsewhere.example", False)


def user(name: str = "bob") -> User:
    return User.get(User.address == f"{name}@lycee.example")


def chooses(name: str, **values: object) -> None:
    preferences.change(user(name), **values)


def message(
    uid: str = "m1", method: str = "REQUEST", start: str = "20271207T090000Z", end: str = "20271207T100000Z", *more: str,
    organizer: str = "eve@elsewhere.example",
) -> str:  # fmt: skip
    lines = [
        "BEGIN:VCALENDAR", "VERSION:2.0", f"METHOD:{method}", "BEGIN:VEVENT", f"UID:{uid}", "DTSTAMP:20261201T080000Z",
        f"DTSTART:{start}", f"DTEND:{end}", "SUMMARY:Conseil", f"ORGANIZER:mailto:{organizer}",
        "ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:bob@lycee.example", *more, "END:VEVENT", "END:VCALENDAR", "",
    ]  # fmt: skip
    return "\r\n".join(lines)


def read(text: str, sender: MailSender = EVE) -> IncomingEvents:
    settings = ground_settings()
    return invitations.read(text, editing.calendars(user()), meeting_mail.addresses_of(user(), settings), sender)


def ground_settings() -> Settings:
    return current_app.extensions["settings"]


def arrives(text: str, sender: MailSender = EVE, who: KnownAs | None = KnownAs.CONTACT) -> AnswerKind | None:
    return automatic_answers.take(user(), read(text, sender), sender, who, ground_settings())


def copy_of(name: str = "bob", uid: str = "") -> str:
    rows = CalendarObject.select().where(
        CalendarObject.collection.in_([one.collection.id for one in editing.calendars(user(name))])
    )
    return next((row.text.replace("\r\n ", "") for row in rows if not uid or row.uid == uid), "")


def letters() -> list[email.message.EmailMessage]:
    rows = Outbox.select().where(Outbox.state == OutboxState.WAITING).order_by(Outbox.id)
    return [email.message_from_bytes(bytes(row.content), policy=policy.default) for row in rows]


def text_of(letter: email.message.EmailMessage) -> str:
    body = letter.get_body(("plain",))
    assert body is not None
    return body.get_content()


@pytest.fixture
def here(app: Flask, alice: Visitor, bob: Visitor):
    with app.test_request_context():
        yield app


# --- declined during an absence --------------------------------------------------------------------------------------


def test_what_falls_into_an_absence_is_declined_once_with_its_text(here):
    chooses("bob", **AWAY)
    assert arrives(message()) is AnswerKind.DECLINED
    [letter] = letters()
    assert letter["Subject"] == "Declined: Conseil" and letter["To"] == "eve@elsewhere.example"
    assert "Back on the 11th." in text_of(letter) and letter["Auto-Submitted"] == "auto-generated"
    assert "PARTSTAT=DECLINED" in copy_of()
    assert arrives(message()) is None and len(letters()) == 1
    assert arrives(message(start="20271208T090000Z", end="20271208T100000Z").replace("SUMMARY", "SEQUENCE:2\r\nSUMMARY")) is None
    assert len(letters()) == 1


@pytest.mark.parametrize(
    ("start", "end", "more"),
    [
        ("20271206T220000Z", "20271207T100000Z", ()),
        ("20271210T220000Z", "20271210T233000Z", ()),
        ("20271207T090000Z", "20271207T100000Z", ("RRULE:FREQ=DAILY;COUNT=5",)),
        ("20271207T090000Z", "20271207T100000Z", ("RRULE:FREQ=WEEKLY",)),
    ],
)
def test_what_is_not_wholly_in_it_is_not_declined(here, start, end, more):
    chooses("bob", **AWAY)
    assert arrives(message("m1", "REQUEST", start, end, *more)) is None and letters() == []


def test_a_series_and_whole_days_within_it_are_declined(here):
    chooses("bob", **AWAY)
    assert (
        arrives(message("a", "REQUEST", "20271207T090000Z", "20271207T100000Z", "RRULE:FREQ=DAILY;COUNT=4"))
        is AnswerKind.DECLINED
    )
    days = message("b").replace("DTSTART:20271207T090000Z", "DTSTART;VALUE=DATE:20271207")
    assert arrives(days.replace("DTEND:20271207T100000Z", "DTEND;VALUE=DATE:20271211")) is AnswerKind.DECLINED


def test_only_known_and_proven_organisers_are_answered(here):
    chooses("bob", **AWAY)
    assert arrives(message(), who=None) is None
    assert arrives(message(), NOBODY) is None
    assert arrives(message(organizer="mallory@elsewhere.example")) is None
    assert arrives(message().replace("bob@lycee.example", "zoe@lycee.example")) is None
    chooses("bob", absence_declines="colleagues")
    assert arrives(message()) is None
    chooses("bob", absence_declines="")
    assert arrives(message(), who=KnownAs.COLLEAGUE) is None
    assert letters() == [] and copy_of() == "" and not AutomaticAnswer.select().exists()


def test_so_many_a_day_and_no_more(here, monkeypatch):
    chooses("bob", **AWAY)
    monkeypatch.setattr(automatic_answers, "DECLINES", automatic_answers.RateLimit("few declines", 2, automatic_answers.DAY))
    assert [arrives(message(uid)) for uid in "abc"] == [AnswerKind.DECLINED, AnswerKind.DECLINED, None]
    assert len(letters()) == 2


# --- pencilled in ----------------------------------------------------------------------------------------------------


def test_an_invitation_is_pencilled_in_changes_and_goes_with_it(here):
    assert arrives(message()) is None
    chooses("bob", **PENCIL)
    assert arrives(message()) is AnswerKind.PENCILLED
    assert "PARTSTAT=NEEDS-ACTION" in copy_of() and letters() == []
    assert arrives(message()) is None
    later = message(start="20271208T090000Z", end="20271208T100000Z").replace("SUMMARY", "SEQUENCE:2\r\nSUMMARY")
    assert arrives(later) is AnswerKind.PENCILLED and "DTSTART:20271208T090000Z" in copy_of()
    cancel = message(method="CANCEL").replace("SUMMARY", "SEQUENCE:3\r\nSTATUS:CANCELLED\r\nSUMMARY")
    assert arrives(cancel, NOBODY) is None and copy_of()
    assert arrives(cancel) is AnswerKind.PENCILLED and copy_of() == ""


def test_strangers_and_what_nobody_proves_is_never_pencilled_in(here):
    chooses("bob", **PENCIL)
    assert arrives(message(), who=None) is None and arrives(message(), NOBODY) is None
    assert arrives(message(organizer="mallory@elsewhere.example")) is None
    assert arrives(message(start="20200101T090000Z", end="20200101T100000Z")) is None
    assert copy_of() == ""


def test_what_the_person_has_answered_stays_when_it_is_cancelled(here):
    chooses("bob", **PENCIL)
    arrives(message())
    answers("accepted")
    cancel = message(method="CANCEL").replace("SUMMARY", "SEQUENCE:3\r\nSTATUS:CANCELLED\r\nSUMMARY")
    assert arrives(cancel) is None and "PARTSTAT=ACCEPTED" in copy_of()


def answers(given: str) -> None:
    found = read(message())
    invited = answering.invitation(found)
    assert invited is not None
    zone = automatic_answers.objects.zone_of("Europe/Paris")
    answering.answer(user(), found, invited, given, "", ground_settings(), None, zone)


def test_what_was_pencilled_in_goes_when_it_is_declined_and_is_not_put_back(here):
    chooses("bob", **PENCIL)
    arrives(message())
    answers("declined")
    assert copy_of() == "" and len(letters()) == 1
    assert arrives(message().replace("SUMMARY", "SEQUENCE:2\r\nSUMMARY")) is None and copy_of() == ""


def test_what_was_there_before_is_not_pencilled_in(here):
    chooses("bob", **PENCIL)
    put_text(calendar_of("bob"), "m1", message().split("METHOD:REQUEST\r\n")[1].rpartition("END:VCALENDAR")[0])
    before = copy_of()
    assert arrives(message()) is None and copy_of() == before


# --- colleagues of this server: at once ------------------------------------------------------------------------------


def invites(alice: Visitor, **fields: object) -> Page:
    values = {
        "title": "Conseil", "start": "2027-12-07", "start_hour": "10:00", "end": "2027-12-07", "end_hour": "11:00",
        "invite": "bob@lycee.example",
    }  # fmt: skip
    return alice.submit(alice.get("/calendar/events/new"), FORM, **values | fields, action="save", follow=True)


def test_a_colleague_who_is_away_declines_at_once_and_in_words_when_the_mail_arrives(app, alice, bob):
    chooses("bob", **AWAY)
    invites(alice)
    assert "PARTSTAT=DECLINED" in copy_of("alice") and "PARTSTAT=DECLINED" in copy_of("bob")
    [invitation] = letters()
    with app.test_request_context():
        part = next(one for one in invitation.walk() if one.get_content_type() == "text/calendar")
        sender = MailSender("alice@lycee.example", True)
        assert arrives(part.get_content(), sender, KnownAs.COLLEAGUE) is AnswerKind.DECLINED
        assert arrives(part.get_content(), sender, KnownAs.COLLEAGUE) is None
    assert [one["Subject"] for one in letters()] == ["Invitation: Conseil", "Declined: Conseil"]
    assert "Back on the 11th." in text_of(letters()[1])


def test_a_colleague_who_has_declined_too_often_is_not_said_to_decline(app, alice, bob, monkeypatch):
    chooses("bob", **AWAY)
    monkeypatch.setattr(automatic_answers, "DECLINES", automatic_answers.RateLimit("few declines", 1, automatic_answers.DAY))
    invites(alice)
    invites(alice, title="Bilan", start_hour="14:00", end_hour="15:00")
    [second] = [one.text for one in CalendarObject.select() if "SUMMARY:Bilan" in one.text]
    assert "PARTSTAT=NEEDS-ACTION" in second and AutomaticAnswer.select().count() == 1


def test_undo_takes_back_what_was_done_at_a_colleague_s(app, alice, bob):
    for chosen in (AWAY, PENCIL | {"absence_declines": ""}):
        chooses("bob", **chosen)
        page = invites(alice)
        assert copy_of("bob")
        alice.submit(page, "form[action*=undo]", follow=True)
        assert copy_of("alice") == "" and copy_of("bob") == "" and not AutomaticAnswer.select().exists()


def test_a_colleague_s_invitation_is_pencilled_in_and_goes_when_it_is_cancelled(app, alice, bob):
    chooses("bob", **PENCIL)
    invites(alice)
    assert "PARTSTAT=NEEDS-ACTION" in copy_of("bob") and "PARTSTAT=NEEDS-ACTION" in copy_of("alice")
    row = CalendarObject.get(CalendarObject.collection == calendar_of("alice"))
    ask = alice.get(f"/calendar/events/{row.collection_id}/{row.href}/delete")
    alice.submit(ask, "main form", follow=True)
    assert copy_of("alice") == "" and copy_of("bob") == ""


def test_saved_without_sending_nothing_is_done_and_who_chose_nothing_is_left_alone(app, alice, bob):
    invites(alice)
    assert copy_of("bob") == ""
    chooses("bob", **PENCIL)
    invites(alice, title="Autre", quiet="1")
    assert copy_of("bob") == ""


def test_a_uid_that_somebody_knows_removes_nothing_of_another_organiser(app, alice, bob):
    chooses("bob", **PENCIL)
    with app.test_request_context():
        arrives(message())
        automatic_answers.withdraw("m1", ["bob@lycee.example"], frozenset({"alice@lycee.example"}), ground_settings())
    assert copy_of("bob")


def test_only_who_chose_something_is_looked_after(here):
    assert automatic_answers.wanting() == []
    chooses("bob", absence_declines="known")
    assert automatic_answers.wanting() == []
    chooses("bob", **AWAY)
    assert automatic_answers.wanting() == [user("bob")]
    chooses("bob", absence="", **PENCIL)
    assert automatic_answers.wanting() == [user("bob")]
