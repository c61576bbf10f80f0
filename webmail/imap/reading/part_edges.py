"""Part edges: fetches the first and last bytes of archives, office documents and encoded messages, to inspect them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from webmail.imap.connections.commands import uid_set
from webmail.imap.connections.connection import Command
from webmail.mail import Part, Structure
from webmail.mime import part_kinds
from webmail.mime.formats import archives
from webmail.mime.threats import dangerous_files
from webmail.mime.transfer_encoding import decode_transfer

_WRAPPED_LIMIT = 5  # encoded attached messages whose headers are read
_TAIL_LIMIT = 4_000_000  # encoded bytes: Dovecot reads through a part to reach its end, at 400 MB/s
_NOT_BASE64 = bytes(set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="))


def wanted(shape: Structure) -> list[Part]:
    """The parts whose edges are worth fetching, a limited number."""
    messages = [part for part in shape.attachments if part_kinds.is_wrapped(part)]
    return [*dangerous_files.looked_into(shape.attachments), *messages[:_WRAPPED_LIMIT]]


def commands(uid: int, parts: Iterable[Part]) -> list[Command]:
    """One FETCH for all; at most 8 KB of each."""
    sections = b" ".join(
        b"BODY.PEEK[%s]<%d.%d>" % (part.section.encode(), start, archives.PEEK) for part in parts for start in _starts(part)
    )
    return [(b"UID FETCH", uid_set([uid]), b"(UID " + sections + b")")] if sections else []


def read(parts: Iterable[Part], values: dict[bytes, Any]) -> dict[str, tuple[bytes, bytes]]:
    """Decode the responses to `commands`: section -> (first, last) bytes. For short and very long parts both are the first."""
    found = {}
    for part in parts:
        pieces = [values.get(b"BODY[%s]<%d>" % (part.section.encode(), start)) or b"" for start in _starts(part)]
        first = decode_transfer(pieces[0], part.encoding)
        found[part.section] = (first, _tail(pieces[-1], part.encoding) if len(pieces) > 1 else first)
    return found


def _starts(part: Part) -> tuple[int, ...]:
    return (0, part.size - archives.PEEK) if archives.PEEK < part.size <= _TAIL_LIMIT else (0,)


def _tail(data: bytes, encoding: str) -> bytes:
    """Decode the end of a part: base64 is aligned to groups of four characters from the end."""
    if encoding == "base64":
        letters = data.translate(None, _NOT_BASE64)
        data = letters[len(letters) % 4 :]
    return decode_transfer(data, encoding)
