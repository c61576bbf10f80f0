"""List answers: what a server tells of mailboxes (LIST, LSUB, STATUS) as names, flags and counts.

A line in the usual form is matched as a whole, since some have ten thousand folders and imapclient's parser takes twenty times as
long; it reads all others.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, NamedTuple

from imapclient import imap_utf7
from imapclient.exceptions import ProtocolError
from imapclient.response_parser import parse_response

from webmail.errors import NoSuchMailboxError, UnsafeValueError
from webmail.imap.connections.commands import checked_name
from webmail.imap.connections.responses import joined, word

Counts = dict[str, tuple[int, int]]  # name -> messages, unread ones

_NAME = rb'(?:"([^"\\]*)"|([^\s"\\(){}]+))'
_USUAL_LINE = re.compile(rb'\(([^()"]*)\) (?:"([^"\\])"|NIL) ' + _NAME)
_USUAL_COUNT = re.compile(_NAME + rb" \(MESSAGES (\d+) UNSEEN (\d+)\)")
_UNREADABLE = (ProtocolError, ValueError, TypeError, AttributeError, LookupError)


class ListedMailbox(NamedTuple):
    """A line of LIST or LSUB; its flags in lower case."""

    name: str
    delimiter: str
    flags: frozenset[str]

    @property
    def selectable(self) -> bool:
        return not self.flags & {"\\noselect", "\\nonexistent"}


def list_lines(lines: list[Any]) -> list[ListedMailbox]:
    """Parse `(\\HasNoChildren \\Sent) "/" Sent`. Skips malformed lines, and names that no command may contain (somebody may share
    a mailbox whose name has a line end): one must not hide all the others.
    """
    found = []
    for line in joined(lines):
        try:
            found.append(_usual_line(line[0]) or _odd_line(line))
        except (*_UNREADABLE, UnsafeValueError, NoSuchMailboxError):
            continue
    return found


def _usual_line(line: Any) -> ListedMailbox | None:
    told = _USUAL_LINE.fullmatch(line) if isinstance(line, bytes) else None
    return told and ListedMailbox(checked_name(_decoded(told[3] or told[4] or b"")), (told[2] or b"").decode(), _flags(told[1]))


def _odd_line(line: list[Any]) -> ListedMailbox:
    flags, delimiter, name, *_ = parse_response(line)
    return ListedMailbox(checked_name(_decoded(word(name))), (delimiter or b"").decode(), _flags(b" ".join(flags)))


def counts(lines: list[Any]) -> Counts:
    """Parse `"Sent Items" (MESSAGES 5 UNSEEN 1)`. Skips malformed lines."""
    found: Counts = {}
    for line in joined(lines):
        try:
            if isinstance(line[0], bytes) and (told := _USUAL_COUNT.fullmatch(line[0])):
                found[_decoded(told[1] or told[2] or b"")] = int(told[3]), int(told[4])
                continue
            name, items, *_ = parse_response(line)
            values = dict(zip(items[::2], items[1::2], strict=False))
            found[_decoded(word(name))] = values.get(b"MESSAGES", 0), values.get(b"UNSEEN", 0)
        except _UNREADABLE:
            continue
    return found


def next_uids(lines: list[Any]) -> dict[str, tuple[int, int]]:
    """Parse `"Sent Items" (UIDVALIDITY 3 UIDNEXT 17)` to (3, 17) by name. Skips malformed lines."""
    found = {}
    for line in joined(lines):
        try:
            name, items, *_ = parse_response(line)
            values = dict(zip(items[::2], items[1::2], strict=False))
            found[_decoded(word(name))] = int(values[b"UIDVALIDITY"]), int(values[b"UIDNEXT"])
        except _UNREADABLE:
            continue
    return found


def _decoded(raw: bytes) -> str:
    return imap_utf7.decode(raw) if b"&" in raw else raw.decode("latin-1")


@lru_cache(maxsize=256)  # a server uses few combinations
def _flags(flags: bytes) -> frozenset[str]:
    return frozenset(flags.decode("ascii", "replace").lower().split())
