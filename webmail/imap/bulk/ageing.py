"""Ageing: the old messages of a folder, found and counted in bounded memory, and known again where they were moved to."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from webmail.errors import RefusedError
from webmail.imap.bulk.actions import keyword
from webmail.imap.connections.commands import imap_day, uid_set
from webmail.imap.connections.connection import Command, Connection
from webmail.imap.connections.responses import count_of, fetched, header_bytes_of, numbers_of, when_of
from webmail.mail import Address
from webmail.mime.headers import headers
from webmail.mime.headers.month_names import MONTH_NUMBERS

WINDOW = 5000  # messages that are looked at together
FIRST_YEAR = 1980  # older ones are told as of this year
_YEARS_AT_ONCE = 10
_UID = re.compile(rb"\bUID (\d+)")
_SIZE = re.compile(rb"\bRFC822\.SIZE (\d+)")
_WHEN = re.compile(rb'\bINTERNALDATE "([ \d]\d)-([A-Za-z]{3})-(\d{4}) ([^"]*)"')
_TAG = re.compile(rb'TAG "[A-Za-z]*(\d+)"')
_SHOWN = b"(UID INTERNALDATE BODY.PEEK[HEADER.FIELDS (FROM SUBJECT)]<0.8192>)"


@dataclass(frozen=True, slots=True)
class AgeSearch:
    """Which messages: received before a day, and what they must not be. `without`: keywords that none of them has.

    `saved_before`: they must have been in the folder since before this day (RFC 8514), where the server knows that.
    """

    before: date
    read: bool = False
    unflagged: bool = False
    without: tuple[str, ...] = ()
    saved_before: date | None = None

    def key(self, connection: Connection) -> bytes:
        """As a SEARCH key. Raises UnsafeValueError."""
        parts = [b"UNDELETED", b"BEFORE", imap_day(self.before)]
        parts += [b"SEEN"] if self.read else []
        parts += [b"UNFLAGGED"] if self.unflagged else []
        for name in self.without:
            parts += [b"UNKEYWORD", keyword(name)]
        if self.saved_before and connection.has("SAVEDATE"):
            parts += [b"SAVEDBEFORE", imap_day(self.saved_before)]
        return b" ".join(parts)


@dataclass(frozen=True, slots=True)
class MessageMark:
    """By what a message is known again in another folder: the date that a move keeps, as the server writes it, and the size."""

    received: date
    when: str
    size: int


@dataclass(frozen=True, slots=True)
class AgedMessage:
    """A row of a preview."""

    uid: int
    received: Any  # datetime
    subject: str
    sender: tuple[Address, ...]


def windows(count: int, *, newest_first: bool) -> Iterator[tuple[int, int]]:
    """Sequence numbers, first and last, of pieces of a folder. From its end on, those to come keep their numbers while messages
    of one piece are moved away.
    """
    firsts = range(1, count + 1, WINDOW)
    for first in reversed(firsts) if newest_first else firsts:
        yield first, min(first + WINDOW - 1, count)


def found(connection: Connection, first: int, last: int, key: bytes) -> list[int]:
    """UIDs of those among these sequence numbers of the selected folder: 1 round trip."""
    answer = connection.run((b"UID SEARCH", b"%d:%d" % (first, last), key))
    return sorted(numbers_of(answer.get("SEARCH", [])))


def count(connection: Connection, key: bytes) -> int:
    """How many in the selected folder: 1 round trip."""
    return _counts(connection, [key])[0]


def years(connection: Connection, key: bytes, latest: int) -> list[tuple[int, int]]:
    """How many of each year that has some, the latest first: 1 round trip for all of them, 1 for each ten years."""
    left = count(connection, key)
    told: list[tuple[int, int]] = []
    for top in range(latest, FIRST_YEAR - 1, -_YEARS_AT_ONCE):
        if left <= 0:
            break
        each = [year for year in range(top, top - _YEARS_AT_ONCE, -1) if year >= FIRST_YEAR]
        for year, number in zip(each, _counts(connection, [_of_year(key, year) for year in each]), strict=True):
            left -= number
            told += [(year, number)] if number else []
    return told


def _of_year(key: bytes, year: int) -> bytes:
    since = b"" if year == FIRST_YEAR else b" SINCE " + imap_day(date(year, 1, 1))
    return key + since + b" BEFORE " + imap_day(date(year + 1, 1, 1))


def _counts(connection: Connection, keys: Sequence[bytes]) -> list[int]:
    ask: Command = (b"UID SEARCH", b"RETURN (COUNT)") if connection.has("ESEARCH") else (b"UID SEARCH",)  # RFC 4731
    answer = connection.run(*((*ask, key) for key in keys))
    lines = sorted((line for line in answer.get("ESEARCH", []) if line), key=_tag_number)
    numbers = [count_of({"ESEARCH": [line]}) or 0 for line in lines]
    numbers = numbers or [len(numbers_of([line])) for line in answer.get("SEARCH", [])]
    if len(numbers) != len(keys):
        raise RefusedError("the server does not answer each SEARCH")
    return numbers


def _tag_number(line: bytes) -> int:
    tag = _TAG.search(line)
    return int(tag[1]) if tag else 0


def oldest(connection: Connection, key: bytes, most: int) -> list[AgedMessage]:
    """The first rows of the selected folder: 1 round trip for each WINDOW of it until there are enough, and 1 for the rows."""
    uids: list[int] = []
    for first, last in windows(connection.exists, newest_first=False):
        uids += found(connection, first, last, key)
        if len(uids) >= most:
            break
    if not uids:
        return []
    answers = fetched(connection.run((b"UID FETCH", uid_set(uids[:most]), _SHOWN)))
    return [_row(uid, answers[uid]) for uid in uids[:most] if uid in answers]


def _row(uid: int, values: dict[bytes, Any]) -> AgedMessage:
    envelope = headers.envelope(header_bytes_of(values))
    return AgedMessage(uid, when_of(values), envelope.subject[:300], envelope.sender[:3])


def marks(connection: Connection, uids: Iterable[int]) -> dict[int, MessageMark]:
    """Of those that exist in the selected folder: 1 round trip. One line is some 90 bytes; they are read without a parser, which
    would take as long as the move itself.
    """
    answer = connection.run((b"UID FETCH", uid_set(uids), b"(UID INTERNALDATE RFC822.SIZE)"))
    told: dict[int, MessageMark] = {}
    for line in answer.get("FETCH", []):
        if not isinstance(line, bytes):
            continue
        uid, size, when = _UID.search(line), _SIZE.search(line), _WHEN.search(line)
        if uid and size and when and (day := _day(when)):
            told[int(uid[1])] = MessageMark(day, b" ".join(when.groups()).decode("ascii", "replace"), int(size[1]))
    return told


def _day(when: re.Match[bytes]) -> date | None:
    try:
        return date(int(when[3]), MONTH_NUMBERS[when[2].lower()], int(when[1]))
    except (KeyError, ValueError):
        return None
