"""TNEF writer: builds a minimal winmail.dat with a text and files."""

from __future__ import annotations

import struct


def winmail(text: str = "", files: dict[str, bytes] | None = None, *, html: str = "", codepage: int = 1252) -> bytes:
    """Build a winmail.dat. File names are in the MAPI properties, and truncated in the titles."""
    made = struct.pack("<IH", 0x223E9F78, 1)
    made += attribute(1, 0x9007, struct.pack("<II", codepage, 0))
    if text:
        made += attribute(1, 0x800C, text.encode(f"cp{codepage}") + b"\0")
    if html:
        made += attribute(1, 0x9003, properties({(0x0102, 0x1013): html.encode(f"cp{codepage}")}))
    for name, data in (files or {}).items():
        made += attribute(2, 0x9002, bytes(14))
        made += attribute(2, 0x8010, name.encode("ascii", "replace")[:8] + b"\0")
        made += attribute(2, 0x800F, data)
        made += attribute(2, 0x9005, properties({(0x1F, 0x3707): (name + "\0").encode("utf-16-le")}))
    return made


def attribute(level: int, name: int, value: bytes) -> bytes:
    return struct.pack("<BHHI", level, name, 6, len(value)) + value + struct.pack("<H", sum(value) & 0xFFFF)


def properties(values: dict[tuple[int, int], bytes]) -> bytes:
    """Variable-length properties, one value each, padded to four bytes."""
    made = struct.pack("<I", len(values))
    for (kind, name), value in values.items():
        made += struct.pack("<HHII", kind, name, 1, len(value)) + value + bytes(-len(value) % 4)
    return made
