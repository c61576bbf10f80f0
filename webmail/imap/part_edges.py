"""The first and the last bytes of parts that hide more than their names say: archives, documents, messages under an encoding."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from webmail.imap.commands import uid_set
from webmail.imap.connection import Command
from webmail.mail import Part, Structure
from webmail.mime import part_kinds
from webmail.mime.formats import archives
from webmail.mime.threats import dangerous_files
from webmail.mime.transfer_encoding import decode_transfer

_WRAPPED_LIMIT = 5  # attached messages under an encoding whose heads are read
_TAIL_LIMIT = 4_000_000  # encoded bytes: of more, Dovecot reads 400 MB a second to come to the end
_NOT_BASE64 = bytes(set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="))


def wanted(shape: Structure) -> list[Part]:
    """The parts whose ends are worth fetching, few of them."""
    messages = [part for part in shape.attachments if part_kinds.is_wrapped(part)]
    return [*dangerous_files.looked_into(shape.attachments), *messages[:_WRAPPED_LIMIT]]


def commands(uid: int, parts: Iterable[Part]) -> list[Command]:
    """One FETCH for all; 8 KB of each at most."""
    sections = b" ".join(
        b"BODY.PEEK[%s]<%d.%d>" % (part.section.encode(), start, archives.PEEK) for part in parts for start in _starts(part)
    )
    return [(b"UID FETCH", uid_set([uid]), b"(UID " + sections + b")")] if sections else []


def read(parts: Iterable[Part], values: dict[bytes, Any]) -> dict[str, tuple[bytes, bytes]]:
    """What `commands` brought, by section, decoded. Of a short part both ends are all of it, of a very long one the first."""
    found = {}
    for part in parts:
        pieces = [values.get(b"BODY[%s]<%d>" % (part.section.encode(), start)) or b"" for start in _starts(part)]
        first = decode_transfer(pieces[0], part.encoding)
        found[part.section] = (first, _tail(pieces[-1], part.encoding) if len(pieces) > 1 else first)
    return found


def _starts(part: Part) -> tuple[int, ...]:
    return (0, part.size - archives.PEEK) if archives.PEEK < part.size <= _TAIL_LIMIT else (0,)


def _tail(data: bytes, encoding: str) -> bytes:
    """The end of an encoding, decoded: base64 comes in groups of four letters, counted from the end here."""
    if encoding == "base64":
        letters = data.translate(None, _NOT_BASE64)
        data = letters[len(letters) % 4 :]
    return decode_transfer(data, encoding)
