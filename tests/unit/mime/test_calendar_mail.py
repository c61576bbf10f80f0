"""Mail that carries an iTIP message (RFC 6047), read again by the standard library and by icalendar."""

from __future__ import annotations

import email
from datetime import UTC, datetime

from icalendar import Calendar

from tests.support.calendar_texts import calendar
from tests.support.meetings import BOB, NOON, ONCE
from webmail.itip import answers
from webmail.mail import Address, Draft, Identity
from webmail.mime import builder


def test_an_answer_is_an_alternative_and_a_file() -> None:
    (sent,) = answers.answered(
        calendar(f"{ONCE}|LOCATION:Salle des maîtres"), "", BOB, "accepted", NOON, "Avec plaisir, à jeudi"
    ).messages
    draft = Draft(Identity("Bob", sent.sender), to=(Address("", sent.recipients[0]),), text="Je viens.\n", calendar=sent.text)
    read = email.message_from_bytes(builder.build(draft, date=datetime.now(UTC)))
    kinds = [one.get_content_type() for one in read.walk()]
    assert kinds == ["multipart/mixed", "multipart/alternative", "text/plain", "text/calendar", "application/ics"]
    part, file = list(read.walk())[3:]
    assert (part.get_param("method"), part.get_param("charset"), file.get_filename()) == ("REPLY", "utf-8", "invite.ics")
    for one in (part, file):
        content = one.get_payload(decode=True)
        assert isinstance(content, bytes)
        found = Calendar.from_ical(content)
        (event,) = found.walk("VEVENT")
        assert (found["METHOD"], event["ATTENDEE"].params["PARTSTAT"], event["COMMENT"]) == (
            "REPLY",
            "ACCEPTED",
            "Avec plaisir, à jeudi",
        )
        assert event["LOCATION"] == "Salle des maîtres"
        assert event["DTSTART"].dt.isoformat() == "2026-12-08T09:00:00+01:00"
