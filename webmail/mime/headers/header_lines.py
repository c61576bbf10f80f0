"""Header lines: the fields of a message as they stand, to take some off without touching the others, and to compare messages."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable

_FIELD = re.compile(rb"[^\n]*\n?(?:[ \t][^\n]*\n?)*")
_EMPTY_LINE = re.compile(rb"^\r?(?:\n|\Z)", re.MULTILINE)
# written by programs that keep or carry a message, so another copy of it has others
_CARRIED = re.compile(
    rb"(?:status|x-status|x-keywords|x-uid|x-mozilla-[^:\s]*|x-gmail-labels|x-gm-[^:\s]*|content-length|lines)[ \t]*:",
    re.IGNORECASE,
)
_LINE_END = re.compile(rb"(?<!\r)\r*\n")  # begins where CRs do: each is looked at once


def parts(raw: bytes) -> tuple[list[bytes], bytes]:
    """The fields, each with its line ends and the lines that continue it, and the rest from the empty line on."""
    end = _EMPTY_LINE.search(raw)
    at = end.start() if end else len(raw)
    return [field for field in _FIELD.findall(raw[:at]) if field], raw[at:]


def without(raw: bytes, dropped: Callable[[bytes], object]) -> bytes:
    """The message without the fields of which `dropped` says so."""
    fields, rest = parts(raw)
    return b"".join(field for field in fields if not dropped(field)) + rest


def named(*names: bytes) -> Callable[[bytes], object]:
    """For `without`: the fields of these names; "x-mozilla-*" means all that begin so."""
    alternatives = b"|".join(re.escape(name).replace(rb"\*", rb"[^:\s]*") for name in names)
    return re.compile(rb"(?:" + alternatives + rb")[ \t]*:", re.IGNORECASE).match


def only(raw: bytes, wanted: Callable[[bytes], object], most: int) -> bytes:
    """The fields of which `wanted` says so, as IMAP tells them (HEADER.FIELDS), so many bytes at most."""
    fields, _rest = parts(raw)
    return (b"".join(field for field in fields if wanted(field)) + b"\r\n")[:most]


def message_digest(raw: bytes) -> bytes:
    """The same for two copies of a message, however they came: without what programs note in its header, line ends, and empty
    lines at its end. NUL counts as the byte that IMAP servers send for it."""
    fields, rest = parts(raw)
    kept = b"".join(field for field in fields if not _CARRIED.match(field)) + rest
    return hashlib.blake2b(_LINE_END.sub(b"\n", kept).replace(b"\0", b"\x80").rstrip(b"\r\n"), digest_size=16).digest()
