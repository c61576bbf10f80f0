"""Which viewer a part has."""

from __future__ import annotations

import pytest

from webmail.mail import Part, Structure
from webmail.mime import part_kinds
from webmail.mime.part_kinds import PartKind


def part(kind: str, name: str = "", **more: object) -> Part:
    return Part(section="2", type=kind, size=10, filename=name, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (part("message/rfc822"), PartKind.FILE),  # the server tells nothing of it
        (part("text/calendar"), PartKind.CALENDAR),
        (part("application/octet-stream", "Invite.ICS"), PartKind.CALENDAR),
        (part("application/octet-stream", "winmail.dat"), PartKind.TNEF),
        (part("image/png", "a.png"), PartKind.IMAGE),
        (part("image/svg+xml", "a.svg"), PartKind.FILE),
        (part("text/x-python", "a.py"), PartKind.TEXT),
        (part("application/octet-stream", "a.log"), PartKind.TEXT),
        (part("application/octet-stream", "a.html"), PartKind.FILE),
        (part("application/pdf", "a.txt"), PartKind.FILE),
    ],
)
def test_which_viewer(one: Part, expected: PartKind) -> None:
    assert part_kinds.kind_of_part(one) is expected


def test_cards_are_few_and_whole() -> None:
    large = Part(section="2", type="text/calendar", size=1_000_001)
    many = tuple(Part(section=f"3.{n}", type="text/vcard", size=300_000) for n in range(1, 30))
    assert large not in part_kinds.cards(Structure(attachments=(large,)), 2_000_000)
    assert len(part_kinds.cards(Structure(attachments=many), 1_000_000)) == 3
    assert (
        len(part_kinds.cards(Structure(attachments=tuple(part("text/vcard") for _ in range(50))), 2_000_000))
        == part_kinds.CARDS_LIMIT
    )
