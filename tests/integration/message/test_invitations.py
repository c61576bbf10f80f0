"""Invitations on the page of a message: who may change what is in one's calendar, and replies."""

from __future__ import annotations

from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage

import pytest
from icalendar import Calendar

from tests.support.calendar_texts import calendar, times
from tests.support.meetings import answer
from tests.support.visits import Page, Visitor
from tests.support.worker import jobs_of
from webmail.calendar import editing, event_changes
from webmail.calendar.editing import Write
from webmail.compose.outbox import delivery, spool
from webmail.database.connection import db
from webmail.models import CalendarObject, Collection, Outbox, OutboxState, User

FORM = "form[action^='/calendar/from/']"
TIMES = "DTSTART;TZID=Europe/Paris:20301210T090000|DTEND;TZID=Europe/Paris:20301210T100000"


def invite(person: Visitor, method: str = "REQUEST", more: str = "", organiser: str = "zoe@x.example", number: int = 1) -> str:
    lines = f"{TIMES}|SUMMARY:Conseil|SEQUENCE:{number}|ORGANIZER;CN=Zoé:mailto:{organiser}|ATTENDEE;RSVP=TRUE:mailto:{person.address}"
    return calendar(lines + more, uid="conseil").replace("BEGIN:VEVENT", f"METHOD:{method}\r\nBEGIN:VEVENT", 1)


def mail(text: str, method: str = "REQUEST", sender: str = "zoe@x.example", *, proven: bool = True, to: str = "") -> EmailMessage:
    one = EmailMessage()
    one["From"], one["To"], one["Subject"] = sender, to or "alice@lycee.example", "Conseil"
    one["Date"] = "Fri, 27 Nov 2026 10:00:00 +0100"
    if proven:
        domain = sender.partition("@")[2]
        one["Authentication-Results"] = f"lycee.example; dkim=pass header.d={domain}; dmarc=pass header.from={domain}"
    one.set_content("Bonjour")
    one.add_attachment(text.encode(), "text", "calendar", filename="invite.ics", params={"method": method})
    return one


@pytest.fixture
def read(fill):
    """The page of a message that somebody got."""

    def page(person: Visitor, one: EmailMessage) -> Page:
        return person.get(f"/message/{fill(person, one)[-1]}/INBOX")

    return page


def event_of(person: Visitor) -> CalendarObject:
    user = User.get(User.address == person.address)
    return CalendarObject.select().join(Collection).where(Collection.user == user, CalendarObject.uid == "conseil").get()


def actions(page: Page) -> set[str]:
    return {str(one["value"]) for one in page.all(f"{FORM} button[name=action]")}


def waiting(person: Visitor) -> list[Outbox]:
    user = User.get(User.address == person.address)
    return list(Outbox.select().where(Outbox.user == user, Outbox.state == OutboxState.WAITING))


def own_event(person: Visitor, text: str, name: str = "conseil") -> None:
    """Something that they have made themselves."""
    user = User.get(User.address == person.address)
    with db.atomic():
        number = editing.with_first(user)[0].collection.id
    editing.write(user, [Write(number, event_changes.href_of(name), text)], person.client.application.extensions["settings"])


# --- what an invitation may do ---


def test_a_new_one_may_always_be_added_and_the_card_says_who_sent_it(person, read):
    page = read(person, mail(invite(person), sender="mallory@y.example", proven=False))
    assert "Sent by mallory@y.example; organiser: zoe@x.example, not proven." in page.text
    assert {"add", "accept", "maybe", "decline", "propose", "delegate"} == actions(page)
    person.submit(page, FORM, action="add")
    assert times(event_of(person).text) == ["2030-12-10 09:00 Conseil"]
    assert not waiting(person)


@pytest.mark.parametrize(
    ("sender", "proven"), [("zoe@x.example", False), ("mallory@y.example", True), ("mallory@y.example", False)]
)
def test_who_is_not_proven_to_organise_it_changes_nothing_by_one_click(person, read, sender, proven):
    person.submit(read(person, mail(invite(person))), FORM, action="add")
    forged = invite(person, more="|LOCATION:Ailleurs", number=50).replace("T090000", "T093000")
    page = read(person, mail(forged, sender=sender, proven=proven))
    assert actions(page) == {"change"}
    told = page.one("[data-changes]").get_text()
    assert "Ailleurs" in told and "09:00" in told and "09:30" in told
    assert "Changes your event of Tuesday 10 December 2030" in page.text
    assert sender in page.one(".notice-caution").get_text()
    for action in ("add", "accept", "decline"):  # a form of one's own makes no difference
        person.submit(page, FORM, action=action)
        assert "Ailleurs" not in event_of(person).text and not waiting(person)
    person.submit(page, FORM, action="change")
    assert times(event_of(person).text) == ["2030-12-10 09:30 Conseil"]


def test_a_forged_cancellation_changes_nothing(person, read):
    person.submit(read(person, mail(invite(person))), FORM, action="add")
    page = read(person, mail(invite(person, "CANCEL", number=9), "CANCEL", sender="mallory@y.example"))
    assert actions(page) == {"change"} and "Cancels your event" in page.text
    person.submit(page, FORM, action="add")
    assert "CANCELLED" not in event_of(person).text


def test_another_organiser_never_changes_it(person, read):
    person.submit(read(person, mail(invite(person))), FORM, action="add")
    other = invite(person, organiser="mallory@y.example", number=50, more="|LOCATION:Ailleurs")
    page = read(person, mail(other, sender="mallory@y.example"))
    assert not page.all(FORM)
    assert "has another organiser" in page.one(".notice-caution").get_text()


def test_nobody_changes_an_event_of_one_s_own(person, read):
    own_event(person, calendar(f"{TIMES}|SUMMARY:Privé", uid="conseil"))
    for method in ("REQUEST", "CANCEL"):
        page = read(person, mail(invite(person, method, number=50), method))
        assert not page.all(FORM)
        assert "an event of your own" in page.one(".notice-caution").get_text()


def test_an_update_keeps_what_is_mine_and_says_what_changes(person, read):
    person.submit(read(person, mail(invite(person))), FORM, action="accept")
    page = read(person, mail(invite(person, more="|LOCATION:Salle 12", number=2)))
    assert "Salle 12" in page.one("[data-changes]").get_text()
    person.submit(page, FORM, action="add")
    assert "LOCATION:Salle 12" in event_of(person).text and "PARTSTAT=ACCEPTED" in event_of(person).text


# --- replies ---


def test_a_reply_leaves_with_undo_and_the_card_says_so(person, read):
    page = read(person, mail(invite(person)))
    after = person.submit(page, FORM, action="accept", comment="Avec plaisir")
    assert "You accepted" in after.one("[data-in-calendar]").get_text()
    (row,) = waiting(person)
    assert (row.sender, row.recipients, row.subject) == (person.address, '["zoe@x.example"]', "Accepted: Conseil")
    with spool.opened(bytes(row.content), person.client.application.extensions["settings"]) as content:
        sent = message_from_bytes(content.read())
    part = next(one for one in sent.walk() if one.get_content_type() == "text/calendar")
    (event,) = Calendar.from_ical(part.get_payload(decode=True)).walk("VEVENT")  # read again by an independent library
    assert (part.get_param("method"), event["ATTENDEE"].params["PARTSTAT"], event["COMMENT"]) == (
        "REPLY",
        "ACCEPTED",
        "Avec plaisir",
    )
    person.submit(after, "#notices form:has([name=undo])")
    assert not waiting(person)
    assert "In your calendar" not in person.get(after.response.request.path).text  # it was not there before
    person.submit(page, FORM, action="decline")
    assert [one.subject for one in waiting(person)] == ["Declined: Conseil"]


def test_accept_decline_accept_are_three_replies_and_a_second_click_is_none(person, read):
    page = read(person, mail(invite(person)))
    for action in ("accept", "accept", "decline", "accept"):
        page = person.submit(page, FORM, action=action)
    assert [one.subject.partition(":")[0] for one in waiting(person)] == ["Accepted", "Declined", "Accepted"]
    assert "PARTSTAT=ACCEPTED" in event_of(person).text.replace("\r\n ", "")


def test_another_time_is_proposed(person, read):
    page = read(person, mail(invite(person)))
    assert page.one(f"{FORM} [name=start]")["value"] == "2030-12-10" and page.one(f"{FORM} [name=start_hour]")["value"] == "09:00"
    wrong = person.submit(page, FORM, action="propose", start_hour="11:00", end_hour="10:00", comment="Plus tard ?")
    assert "Nothing was sent" in wrong.notices and not waiting(person)
    assert (
        wrong.one(f"{FORM} [name=start_hour]")["value"] == "11:00"
        and wrong.one(f"{FORM} [name=comment]").text.strip() == "Plus tard ?"
    )
    done = person.submit(page, FORM, action="propose", start_hour="14:00", end_hour="15:00", comment="Plus tard ?")
    assert "You proposed another time." in done.notices
    assert [one.subject for one in waiting(person)] == ["New time proposed: Conseil"]
    assert times(event_of(person).text) == ["2030-12-10 09:00 Conseil"]
    forbidden = read(person, mail(invite(person, more="|X-MICROSOFT-DISALLOW-COUNTER:TRUE", number=3)))
    assert "propose" not in actions(forbidden)


def test_what_else_is_then_is_said(person, read):
    own_event(person, calendar(f"{TIMES}|SUMMARY:Dentiste", uid="conseil").replace("UID:conseil", "UID:dentiste"))
    page = read(person, mail(invite(person)))
    assert "Dentiste" in page.one("[data-conflict]").get_text()


def test_a_guest_s_reply_is_in_the_event_once_it_is_opened(person, read):
    text = invite(person, organiser=person.address).replace("METHOD:REQUEST\r\n", "").replace(
        f"ATTENDEE;RSVP=TRUE:mailto:{person.address}", "ATTENDEE:mailto:bob@x.example\r\nATTENDEE:mailto:cat@x.example")  # fmt: skip
    own_event(person, text)
    lines = "SEQUENCE:1|ATTENDEE;PARTSTAT={}:mailto:{}@x.example"

    def reply(word: str, who: str, sender: str, *, proven: bool = True) -> Page:
        sent = calendar(lines.format(word, who), uid="conseil").replace("BEGIN:VEVENT", "METHOD:REPLY\r\nBEGIN:VEVENT", 1)
        return read(person, mail(sent, "REPLY", sender, proven=proven))

    page = reply("ACCEPTED", "bob", "bob@x.example")
    assert answer(event_of(person).text, "bob") == "accepted"
    event = person.get(page.link("Show event"))
    assert event.one("[data-attendee='bob@x.example']")["data-answer"] == "accepted"
    assert event.one("[data-attendee='cat@x.example']")["data-answer"] == "none"
    for forged in (reply("DECLINED", "cat", "cat@x.example", proven=False), reply("DECLINED", "cat", "bob@x.example")):
        assert answer(event_of(person).text, "cat") == "needs-action"
        assert actions(forged) == {"change"}
    stranger = reply("ACCEPTED", "mallory", "mallory@x.example")
    assert "was not invited" in stranger.text and not stranger.all(FORM)
    assert "mallory" not in event_of(person).text


@pytest.fixture
def bob(checking_app, make_account):
    return Visitor(checking_app, make_account("bob")).sign_in()


def test_between_two_of_this_house(checking_app, alice, bob, read, arrives, imap_of):
    """Alice organises, Bob accepts; his reply goes by SMTP, and opening it is all that she does."""
    text = invite(bob, organiser=alice.address)
    own_event(alice, text.replace("METHOD:REQUEST\r\n", ""))
    proof = (
        f"lycee.example; auth=pass (login) smtp.auth={alice.address} smtp.mailfrom={alice.address} header.from={alice.address}"
    )
    one = mail(text, sender=alice.address, to=bob.address, proven=False)
    one["Authentication-Results"] = proof
    page = read(bob, one)
    assert page.one("[data-verdict]")["data-verdict"] == "proven"
    bob.submit(page, FORM, action="maybe")
    Outbox.update(due=datetime(2026, 1, 1)).where(Outbox.user == User.get(User.address == bob.address)).execute()
    jobs = jobs_of(checking_app)
    with db.connection_context():
        ready = delivery.sweep(jobs.settings)
    for number in ready:
        jobs.deliver(number)
    uid = arrives(imap_of(alice.address), ["SUBJECT", "Maybe: Conseil"])
    page = alice.get(f"/message/{uid}/INBOX")
    assert page.one("[data-verdict]")["data-verdict"] == "proven"
    assert answer(event_of(alice).text, bob.address.partition("@")[0]) == "tentative"
    assert "This reply is in your event" in page.one("[data-in-calendar]").get_text()


def test_a_guest_s_other_time_is_taken_or_the_present_one_is_kept(person, read):
    text = invite(person, organiser=person.address).replace("METHOD:REQUEST\r\n", "").replace(
        f"ATTENDEE;RSVP=TRUE:mailto:{person.address}", "ATTENDEE:mailto:bob@x.example\r\nATTENDEE:mailto:cat@x.example")  # fmt: skip
    own_event(person, text)
    lines = f"{TIMES}|SEQUENCE:1|ORGANIZER:mailto:{person.address}|ATTENDEE;PARTSTAT=TENTATIVE:mailto:bob@x.example|COMMENT:Plus tard ?"
    sent = calendar(lines.replace("T090000", "T140000").replace("T100000", "T150000"), uid="conseil")
    page = read(person, mail(sent.replace("BEGIN:VEVENT", "METHOD:COUNTER\r\nBEGIN:VEVENT", 1), "COUNTER", "bob@x.example"))
    assert actions(page) == {"accept", "decline"} and "Plus tard ?" in page.text
    assert "14:00" in page.one("[data-changes] ins").get_text() and "09:00" in page.one("[data-changes] del").get_text()
    kept = person.submit(page, FORM, action="decline")
    assert [(one.subject, one.recipients) for one in waiting(person)] == [("Time stays: Conseil", '["bob@x.example"]')]
    person.submit(kept, "#notices form:has([name=undo])")
    assert not waiting(person)
    person.submit(page, FORM, action="accept")
    assert times(event_of(person).text) == ["2030-12-10 14:00 Conseil"]
    assert [(one.subject, one.people) for one in waiting(person)] == [("Updated invitation: Conseil", 2)]
    again = person.submit(page, FORM, action="accept")  # from a page that was open
    assert len(waiting(person)) == 1 and "Nothing was sent" in again.notices


# --- what does not fit ---


@pytest.mark.parametrize("where", ["type", "text"])
def test_what_it_asks_for_may_stand_in_its_type_alone_or_in_its_text_alone(person, read, where):
    one = mail(invite(person).replace("METHOD:REQUEST\r\n", "" if where == "type" else "METHOD:REQUEST\r\n"))
    if where == "text":
        [calendar_part] = [part for part in one.walk() if part.get_content_type() == "text/calendar"]
        calendar_part.del_param("method")
    page = read(person, one)
    assert {"accept", "maybe", "decline"} <= actions(page)
    person.submit(page, FORM, action="accept")
    assert [sent.subject for sent in waiting(person)] == ["Accepted: Conseil"]


def test_a_reply_that_says_so_in_its_type_alone_is_noted(person, read):
    guests = f"ORGANIZER:mailto:{person.address}|ATTENDEE:mailto:bob@x.example"
    own_event(person, calendar(f"{TIMES}|SUMMARY:Conseil|SEQUENCE:1|{guests}", uid="conseil"))
    read(
        person,
        mail(calendar("SEQUENCE:1|ATTENDEE;PARTSTAT=ACCEPTED:mailto:bob@x.example", uid="conseil"), "REPLY", "bob@x.example"),
    )
    assert answer(event_of(person).text, "bob") == "accepted"


def test_somebody_else_is_sent_and_both_are_told(person, read):
    page = read(person, mail(invite(person)))
    refused = person.submit(page, FORM, action="delegate", delegate="nobody", comment="Je suis absente")
    assert "email address" in refused.notices and refused.one("[name=delegate]")["value"] == "nobody"
    assert refused.one("[name=comment]").text.strip() == "Je suis absente"
    assert not person.get(refused.address).one("[name=delegate]")["value"]  # once
    assert "can’t reply" in person.submit(page, FORM, action="delegate", delegate="zoe@x.example").notices and not waiting(person)
    done = person.submit(page, FORM, action="delegate", delegate="dan@y.example", comment="Je suis absente")
    assert "You are sending dan@y.example." in done.notices and "You are sending someone else" in done.text
    told, invitation = sorted(waiting(person), key=lambda one: "zoe@x.example" not in one.recipients)
    assert "someone else" in str(message_from_bytes(bytes(told.content))["Subject"]).lower()
    assert "zoe@x.example" in told.recipients and "dan@y.example" in invitation.recipients
    [part] = [one for one in message_from_bytes(bytes(invitation.content)).walk() if one.get_content_type() == "text/calendar"]
    text = part.get_payload(decode=True).decode().replace("\r\n ", "")
    assert part.get_param("method") == "REQUEST" and f'DELEGATED-FROM="mailto:{person.address}"' in text
    assert 'DELEGATED-TO="mailto:dan@y.example"' in event_of(person).text.replace("\r\n ", "")
    person.submit(read(person, mail(invite(person))), FORM, action="accept")
    assert "dan@y.example" not in event_of(person).text


def test_the_card_says_who_sends_me_and_what_else_is_on_the_dates_of_a_series(person, read):
    for day in ("17", "24"):
        own_event(person, calendar(f"{TIMES}|SUMMARY:Dentiste".replace("20301210", f"203012{day}"), uid=day), day)
    more = "|RRULE:FREQ=WEEKLY;COUNT=10"
    text = invite(person, more=more).replace("ATTENDEE;RSVP", 'ATTENDEE;DELEGATED-FROM="mailto:bob@x.example";RSVP')
    page = read(person, mail(text))
    assert "bob@x.example sends you in their place." in page.text
    assert "on 2 of the next 10 dates" in page.one("[data-clashes]").text and len(page.all("[data-conflict]")) == 2
    own_event(person, calendar(f"{TIMES}|SUMMARY:Cantine".replace("T09", "T12").replace("T10", "T13"), uid="cantine"), "cantine")
    page = read(person, mail(text))
    assert "Cantine" in page.one("[data-day-around]").text and not page.one("[data-day-around]").select("li:nth-of-type(2)")
