"""Encoded messages: messages attached in base64 or quoted-printable, which servers do not parse, fetched and parsed here.

RFC 2046 section 5.2.1 forbids the encoding, but mail clients use it. The section "2~1.3" is part 1.3 of the message encoded in
part 2, and "2~3~1" part 1 of the message attached to that one as part 3.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from webmail.errors import NoSuchMessageError
from webmail.imap.connections.connection import Connection
from webmail.imap.connections.responses import structure_of, when_of
from webmail.imap.reading import body_texts
from webmail.mail import Part, Structure
from webmail.mime import part_kinds, structure
from webmail.mime.headers import headers
from webmail.mime.transfer_encoding import decode_transfer

MARK = "~"
_DEEPEST = 10  # nested messages
_HEAD = 65_536  # bytes of an attached message's header that are parsed
_SECTION = re.compile(r"[1-9]\d{0,4}(\.[1-9]\d{0,4}){0,99}")


def is_inside(section: str) -> bool:
    """Whether a section is inside an encoded message."""
    return MARK in section


def is_at(values: dict[bytes, Any], section: str) -> bool:
    """Whether the BODYSTRUCTURE in FETCH `values` has an encoded message at this section."""
    part = part_at(values, section)
    return part is not None and part_kinds.is_wrapped(part)


def part_at(values: dict[bytes, Any], section: str) -> Part | None:
    """The part at this section of the BODYSTRUCTURE in FETCH `values`."""
    shape = structure_of(values.get(b"BODYSTRUCTURE"), around=section)
    return shape.part(section) if shape else None


def message(connection: Connection, mailbox: str, uid: int, section: str, uidvalidity: int | None = None) -> bytes:
    """The decoded bytes of the encoded message at `section`, at any depth: 1 round trip. Raises NoSuchMessageError."""
    return dated(connection, mailbox, uid, section, uidvalidity)[0]


def dated(connection: Connection, mailbox: str, uid: int, section: str, uidvalidity: int | None = None) -> tuple[bytes, datetime]:
    """As `message`, with the arrival date of the message that contains it."""
    outer, *way = section.split(MARK)
    if len(way) > _DEEPEST or not all(_SECTION.fullmatch(step) for step in (outer, *way)):
        raise NoSuchMessageError("not a section of a message")
    item = b"BODY.PEEK[%s]<0.%d>" % (outer.encode(), part_kinds.WRAPPED_SIZE)
    values = body_texts.ask(connection, mailbox, uid, uidvalidity, b"(UID INTERNALDATE BODYSTRUCTURE " + item + b")")
    part = part_at(values, outer)
    if part is None or not part_kinds.is_wrapped(part):
        raise NoSuchMessageError(f"{mailbox}: no message is wrapped in {uid} at {outer}")
    found = decode_transfer(values.get(b"BODY[%s]<0>" % outer.encode()) or b"", part.encoding)
    for step in way:
        whole = structure.read(found)
        inner = structure.classify(whole.root).part(step)
        if inner is None or not inner.type.startswith("message/"):
            raise NoSuchMessageError(f"{mailbox}: no message is wrapped in {uid} at {section}")
        found = decode_transfer(whole.content(step), inner.encoding)
    return found, when_of(values)


def shape(whole: structure.ParsedMessage, section: str) -> Structure:
    """The structure of a message encoded at `section`; its parts have their full sections."""
    found = structure.classify(whole.root)

    def moved(parts: tuple[Part, ...]) -> tuple[Part, ...]:
        return tuple(replace(part, section=f"{section}{MARK}{part.section}", envelope=_envelope(whole, part)) for part in parts)

    return Structure(moved(found.text), moved(found.html), moved(found.attachments), moved(found.inline), found.protected)


def _envelope(whole: structure.ParsedMessage, part: Part) -> headers.Envelope | None:
    if not part.type.startswith("message/"):
        return None
    return headers.envelope(head(decode_transfer(whole.content(part.section, _HEAD), part.encoding)))


def head(whole: bytes) -> bytes:
    """The header block of a message."""
    return re.split(rb"\r?\n\r?\n", whole[:_HEAD], maxsplit=1)[0] + b"\r\n\r\n"


def part(
    connection: Connection, mailbox: str, uid: int, section: str, uidvalidity: int | None = None
) -> tuple[Part, Structure, bytes]:
    """A part of an encoded message, that message's structure, and the part's decoded content: 1 round trip.

    Raises NoSuchMessageError.
    """
    around, _mark, own = section.rpartition(MARK)
    whole = structure.read(message(connection, mailbox, uid, around, uidvalidity))
    parts = shape(whole, around)
    found = parts.part(section)
    if found is None:
        raise NoSuchMessageError(f"{mailbox}: message {uid} has no part {section}")
    return found, parts, decode_transfer(whole.content(own), found.encoding)


def contents(
    connection: Connection, mailbox: str, uid: int, sections: Iterable[str], uidvalidity: int | None = None
) -> dict[str, bytes]:
    """The decoded contents of those `sections` that are inside encoded messages: 1 round trip for each of these messages.

    Raises NoSuchMessageError.
    """
    around: dict[str, list[str]] = {}
    for section in filter(is_inside, sections):
        around.setdefault(section.rpartition(MARK)[0], []).append(section)
    found: dict[str, bytes] = {}
    for outer, wanted in around.items():
        whole = structure.read(message(connection, mailbox, uid, outer, uidvalidity))
        parts = structure.classify(whole.root)
        for section in wanted:
            own = section.rpartition(MARK)[2]
            part = parts.part(own)
            if part is None:
                raise NoSuchMessageError(f"{mailbox}: message {uid} has no part {section}")
            found[section] = decode_transfer(whole.content(own), part.encoding)
    return found


def read(whole: structure.ParsedMessage, parts: tuple[Part, ...], most_each: int = body_texts.LARGEST) -> dict[str, str]:
    """The texts of `parts` of the message `whole`, by section, within the usual size limits."""
    own = tuple(replace(part, section=part.section.rpartition(MARK)[2]) for part in parts)
    found = body_texts.of_whole(whole, own, most_each)
    return {part.section: found[inner.section] for part, inner in zip(parts, own, strict=True) if inner.section in found}
