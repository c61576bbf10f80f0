"""Which card a part has, and the fields of a header."""

from __future__ import annotations

from datetime import UTC, datetime

from webmail.mail import Envelope, Message, Part, Structure
from webmail.message import viewers


def part(section: str, name: str, type: str = "application/pdf") -> Part:
    return Part(section=section, type=type, size=10, filename=name)


def test_header_fields_keep_their_order_and_are_decoded() -> None:
    raw = b"Received: a\r\n b\r\nSubject: =?utf-8?q?=C3=89t=C3=A9?=\r\nReceived: c\r\nno field here\r\n\r\nBody: x\r\n"
    assert list(viewers.header_fields(raw)) == [("Received", "a b"), ("Subject", "Été"), ("Received", "c"), ("", "no field here")]
    assert list(viewers.header_fields(b"")) == []
    assert len(list(viewers.header_fields(b"A: b\n" * 5_000))) == viewers.FIELDS_LIMIT
    assert list(viewers.header_fields(b"\xff\xfe: b\n"))[0][0] == ""


def message(*parts: Part, **bodies: str) -> Message:
    return Message(
        mailbox="INBOX", uidvalidity=1, uid=1, flags=frozenset(), size=1, received=datetime(2026, 11, 24, tzinfo=UTC),
        envelope=Envelope(), structure=Structure(attachments=parts), bodies={key.lstrip("s"): value for key, value in bodies.items()},
    )  # fmt: skip


def test_an_invitation_that_comes_twice_is_one_card() -> None:
    calendar = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:x\nDTSTART:20261201T100000Z\nEND:VEVENT\nEND:VCALENDAR\n"
    found = viewers.view(
        message(part("2", "a.ics", "text/calendar"), part("3", "b.ics", "application/ics"), s2=calendar, s3=calendar)
    )
    assert len(found.calendars) == 1 and [p.section for p in found.files] == ["3"]


def test_each_attachment_is_somewhere_once() -> None:
    parts = [
        part("2", "a.png", "image/png"),
        part("3", "b.ics", "text/calendar"),
        part("4", "c.pdf"),
        part("5", "d.eml", "message/rfc822"),
    ]
    found = viewers.view(message(*parts, s3="broken"))
    assert [p.section for p in found.previews] == ["2"] and [p.section for p in found.files] == ["3", "4", "5"]
    assert not viewers.view(message(*parts), with_pictures=False).previews


def test_a_message_full_of_cards_reads_few_of_them() -> None:
    card = "BEGIN:VCARD\nFN:x\n" + "NOTE:" + "a" * 15_000 + "\nEND:VCARD\n"
    parts = [part(str(n), f"{n}.vcf", "text/vcard") for n in range(2, 12)]
    found = viewers.view(message(*parts, **{f"s{n}": card for n in range(2, 12)}))
    assert (len(found.contacts), len(found.files)) == (6, 4)
