"""Attached messages in the structure that the server tells."""

from __future__ import annotations

from dataclasses import replace

from imapclient.response_types import BodyData

from webmail.imap.connections.responses import structure_of
from webmail.mail import Structure
from webmail.mime.part_kinds import PartKind, is_wrapped, kind_of_part

TEXT = (b"text", b"plain", None, None, None, b"7bit", 4, 1, None, None, None, None)
PDF = (b"application", b"pdf", None, None, None, b"base64", 14, None, (b"attachment", (b"filename", b"a.pdf")), None, None)
ENVELOPE = (
    b"Tue, 24 Nov 2026 14:02:00 +0100", b"=?utf-8?q?=C3=89t=C3=A9?=", ((b"Zo", None, b"zoe", b"x.example"),), None, None,
    ((None, None, b"group", None), (None, None, b"a", b"x.example"), (None, None, None, None)), None, None, None, b"<1@x>",
)  # fmt: skip


def attached(body: object, encoding: bytes = b"7bit", envelope: object = ENVELOPE) -> tuple[object, ...]:
    return (b"message", b"rfc822", None, None, None, encoding, 99, envelope, body, 3, None, None, None, None)


def mixed(*parts: object) -> tuple[object, ...]:
    return (*parts, b"mixed", None, None, None, None)


def structure(*parts: object, **where: str) -> Structure | None:
    return structure_of(BodyData.create(mixed(*parts)), **where)  # type: ignore[arg-type]


class TestStructure:
    def test_an_attached_message_has_its_envelope(self) -> None:
        found = structure(TEXT, attached(TEXT))
        assert found
        (part,) = found.attachments
        assert kind_of_part(part) is PartKind.MESSAGE and part.envelope
        assert part.envelope.subject == "Été" and str(part.envelope.sender[0]) == "Zo <zoe@x.example>"
        assert [a.email for a in part.envelope.to] == ["a@x.example"] and part.envelope.message_id == "<1@x>"

    def test_its_parts_are_numbered_below_it(self) -> None:
        inner = mixed(TEXT, PDF, attached(TEXT))
        one = structure(TEXT, attached(inner), inside="2")
        assert one and [p.section for p in one.all] == ["2.1", "2.2", "2.3"]
        two = structure(TEXT, attached(inner), inside="2.3")
        assert two and [p.section for p in two.text] == ["2.3.1"]
        assert structure(TEXT, attached(attached(TEXT)), inside="2.1").text[0].section == "2.1.1"  # type: ignore[union-attr]

    def test_a_part_is_found_in_the_message_around_it(self) -> None:
        inner = mixed(TEXT, PDF, attached(mixed(TEXT, PDF)))
        for section, beside in (("2.2", "2.1"), ("2.3.2", "2.3.1"), ("2", "1"), ("1", "2")):
            found = structure(TEXT, attached(inner), around=section)
            assert found and found.part(section) and found.part(beside), section
        assert structure(TEXT, attached(inner), around="9.9").part("9.9") is None  # type: ignore[union-attr]

    def test_what_is_no_message_has_nothing_inside(self) -> None:
        for section in ("1", "2", "3", "2.1", ""):
            found = structure(TEXT, PDF, inside=section)
            assert (found is None) is bool(section)

    def test_a_broken_one_is_a_file_and_an_encoded_one_is_opened_here(self) -> None:
        found = structure(TEXT, attached(TEXT, b"base64"), attached(None), attached((b"odd",)), attached(TEXT, envelope=None))
        assert found and len(found.attachments) == 4
        assert kind_of_part(found.attachments[0]) is PartKind.MESSAGE and is_wrapped(found.attachments[0])
        assert kind_of_part(found.attachments[3]) is PartKind.FILE
        assert kind_of_part(replace(found.attachments[0], size=20_000_000)) is PartKind.FILE

    def test_deep_nesting_does_not_spoil_the_outer_message(self) -> None:
        body: object = TEXT
        for _ in range(300):
            body = attached(body)
        found = structure(TEXT, body)
        assert found and found.text and kind_of_part(found.attachments[0]) is PartKind.MESSAGE
