"""Responses: parses IMAP response data to values: flags, dates, headers, structure, numbers."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from imapclient.exceptions import ProtocolError
from imapclient.response_parser import parse_response

from webmail.imap.connections import fetch_answers
from webmail.imap.reading.bodystructure import tree
from webmail.mail import Structure
from webmail.mime import structure

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


_SIZE = b"RFC822.SIZE"
_LARGEST = 2**63 - 1  # number64 of RFC 9051, and of a column
_OF_FLAGS = 3  # items, with SEQ and UID
_FLAGS_ONLY = re.compile(rb"(\d{1,10}) \(UID (\d{1,10}) FLAGS \(([^()\"]*)\)\)")


def fetched(untagged: dict[str, list[Any]]) -> dict[int, dict[bytes, Any]]:
    """FETCH responses by UID, each parsed on its own, so that a malformed one never hides the others.

    A message whose response can't be parsed is left out. Responses for the same UID are merged.
    """
    found: dict[int, dict[bytes, Any]] = {}
    answer: list[Any] = []
    for item in untagged.get("FETCH", []):
        if item is None:
            continue
        if not answer and isinstance(item, bytes) and (flags := _FLAGS_ONLY.fullmatch(item)):
            # half of all responses, for which the library takes 60 times as long
            here = {b"SEQ": int(flags[1]), b"UID": int(flags[2]), b"FLAGS": tuple(flags[3].split())}
            found.setdefault(int(flags[2]), {}).update(here)
            continue
        answer.append(item)
        if isinstance(item, tuple):
            continue  # ends with a literal: the response continues
        each, answer = fetch_answers.read(answer), []
        for values in each:
            if uid := values.get(b"UID"):
                found.setdefault(uid, {}).update(values if _has_plain_size(values) else _without_size(values))
    return found


def _has_plain_size(values: dict[bytes, Any]) -> bool:
    size = values.get(_SIZE, 0)
    return type(size) is int and size <= _LARGEST


def _without_size(values: dict[bytes, Any]) -> dict[bytes, Any]:
    return {name: value for name, value in values.items() if name != _SIZE}


def flags_of(values: dict[bytes, Any]) -> frozenset[str]:
    flags = values.get(b"FLAGS")
    return _flags(flags) if isinstance(flags, tuple) else frozenset()


@lru_cache(maxsize=1024)  # a page has few distinct combinations
def _flags(flags: tuple[Any, ...]) -> frozenset[str]:
    return frozenset(flag.decode("ascii", "replace") for flag in flags if isinstance(flag, bytes))


def when_of(values: dict[bytes, Any]) -> datetime:
    received = values.get(b"INTERNALDATE")
    return received.astimezone(UTC) if isinstance(received, datetime) else EPOCH


_HEADERS = b"BODY[HEADER.FIELDS"
_COUNT = re.compile(rb"\bCOUNT (\d+)")


def header_bytes_of(values: dict[bytes, Any]) -> bytes:
    """The header blocks joined; each may be truncated anywhere. One without any of its fields is an empty line, which would end
    the header."""
    blocks = (v.rstrip(b"\r\n") for k, v in values.items() if k.startswith(_HEADERS) and isinstance(v, bytes))
    return b"".join(block + b"\r\n" for block in blocks if block)


def has_headers(values: dict[bytes, Any]) -> bool:
    if len(values) == _OF_FLAGS and b"FLAGS" in values:  # as of most rows of a list
        return False
    return any(k.startswith(_HEADERS) for k in values)


def headers_cut(values: dict[bytes, Any], limit: int) -> bool:
    """Whether a header block was truncated at `limit` bytes."""
    return any(len(v) >= limit for k, v in values.items() if k.startswith(_HEADERS) and isinstance(v, bytes))


def without_headers(values: dict[bytes, Any]) -> dict[bytes, Any]:
    return {k: v for k, v in values.items() if not k.startswith(_HEADERS)}


def structure_of(body: Any, *, inside: str = "", around: str = "") -> Structure | None:
    """Parse BODYSTRUCTURE: of the message, of the one attached at `inside`, or of the innermost one with the part `around`.

    None if it can't be parsed, or if no message is attached there.
    """
    try:
        root = tree(body)
        found = structure.attached(root, inside) if inside else structure.around(root, around) if around else root
        return structure.classify(found) if found else None
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return None


def count_of(untagged: dict[str, list[Any]]) -> int | None:
    """The sum of COUNT in ESEARCH responses (RFC 4731 section 3.1); None if there are none."""
    counts = [found for line in untagged.get("ESEARCH", []) if (found := _COUNT.search(line or b""))]
    return sum(int(found[1]) for found in counts) if counts else None


def numbers_of(lines: list[Any]) -> list[int]:
    """The numbers in SEARCH or SORT responses."""
    return [int(word) for line in lines for word in (line or b"").split() if word.isdigit()]


def joined(lines: list[Any]) -> list[list[Any]]:
    """imaplib's pieces of untagged responses, grouped by response: one with a literal comes in several pieces."""
    groups: list[list[Any]] = []
    current: list[Any] = []
    for piece in lines:
        current.append(piece)
        if not isinstance(piece, tuple):
            groups.append(current)
            current = []
    return groups


def parsed(lines: list[Any]) -> list[tuple[Any, ...]]:
    """Each response as its tokens; malformed ones are skipped."""
    found = []
    for line in joined(lines):
        try:
            found.append(tuple(parse_response(line)))
        except (ProtocolError, ValueError):
            continue
    return found


def word(value: Any) -> bytes:
    """An atom or string as bytes: a mailbox named 2024 parses as a number."""
    return value if isinstance(value, bytes) else str(value).encode()
