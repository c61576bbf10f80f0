"""Meetings for tests: Ann organises, Bob and Cat are invited; Mallory is not."""

from __future__ import annotations

from datetime import UTC, datetime
from email.message import EmailMessage

from tests.support.calendar_texts import calendar
from webmail.itip import incoming, people
from webmail.itip.incoming import IncomingItip

ANN, BOB, CAT, MALLORY = (people.keys([f"{name}@x.example"]) for name in ("ann", "bob", "cat", "mallory"))
NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
ZONE = ";TZID=Europe/Paris"
PEOPLE = (
    "ORGANIZER;CN=Ann:mailto:ann@x.example|ATTENDEE;CN=Bob;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:bob@x.example"
    "|ATTENDEE;CN=Cat;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:cat@x.example"
)
ONCE = f"DTSTART{ZONE}:20261208T090000|DTEND{ZONE}:20261208T100000|SUMMARY:Conseil|SEQUENCE:1|{PEOPLE}"
SERIES = f"{ONCE}|RRULE:FREQ=WEEKLY;COUNT=10"
SECOND = f"RECURRENCE-ID{ZONE}:20261215T090000"
MOVED = f"{SECOND}|DTSTART{ZONE}:20261215T140000|DTEND{ZONE}:20261215T150000|SUMMARY:Conseil|SEQUENCE:1|{PEOPLE}"


def said(method: str, *events: str, stamp: str = "20260101T000000Z") -> IncomingItip:
    """A message of a method with these events, each given by its lines."""
    text = calendar(*events).replace("DTSTAMP:20260101T000000Z", f"DTSTAMP:{stamp}")
    found = incoming.read(text.replace("VERSION:2.0", f"VERSION:2.0\r\nMETHOD:{method}"))
    assert len(found) == 1
    return found[0]


def answer(text: str, name: str, number: int = 0) -> str:
    """What the line of a guest (the beginning of an address) says in the component of this number."""
    from webmail.mime.formats.calendars.component_tree import parsed

    event = parsed(text).parts("VEVENT")[number]
    return next(guest.answer for guest in people.guests(event) if guest.key.startswith(f"{name}@"))


def invitation_mail(method: str, event: str, sender: str = "Zoé Petit <zoe@x.example>", uid: str = "one") -> EmailMessage:
    """A message with an event, given by its lines."""
    text = calendar(event, uid=uid).replace("BEGIN:VEVENT", f"METHOD:{method}\r\nBEGIN:VEVENT", 1)
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, "alice@lycee.example", "Conseil de classe"
    message["Date"] = "Fri, 27 Nov 2026 10:00:00 +0100"
    message.set_content("Bonjour")
    message.add_attachment(text.encode(), "text", "calendar", filename="invite.ics", params={"method": method})
    return message
