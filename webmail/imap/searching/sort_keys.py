"""Sort keys of messages in several mailboxes: dates and sizes as numbers, senders and subjects as people read them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from webmail.errors import MailError
from webmail.imap.connections.commands import uid_set
from webmail.imap.connections.connection import Command, Connection
from webmail.imap.connections.multi_fetch import MailboxHits, Untagged, in_each, validity
from webmail.imap.connections.responses import joined
from webmail.imap.lists.summary_cache import known_of
from webmail.mail import Address, Summary
from webmail.mime.headers import headers
from webmail.mime.headers.addresses import authors
from webmail.mime.headers.month_names import MONTH_NUMBERS

Key = float | str
Wanted = tuple[MailboxHits, Sequence[int]]
_LONGEST = 80  # characters of a key
_AT_ONCE = 2000  # UIDs in one command: servers limit the length of a line


@dataclass(frozen=True, slots=True)
class SortOrder:
    """An order of results. `items` are the FETCH items of its key, `read` its keys in FETCH responses, `of_row` that of a known
    row that `has` it. `server` is the SORT order in which each mailbox's results come; where they are not `exact`, that is not
    the order of the keys (text, which servers and we may not compare alike), and all results are sorted here."""

    items: bytes
    read: Callable[[Untagged], Iterable[tuple[int, Key]]]
    of_row: Callable[[Summary], Key]
    server: bytes = b"ARRIVAL"
    reverse: bool = False  # the answer is reversed: REVERSE would keep messages of the same second in ascending order of UID
    exact: bool = True
    has: Callable[[Summary], bool] = lambda _row: True


def keys_of(connection: Connection, order: SortOrder, wanted: Sequence[Wanted]) -> dict[tuple[str, int], Key]:
    """The keys of these messages by mailbox and UID, without those that went meanwhile: 1 round trip per 24 KB of commands, 0 if
    all are cached."""
    keys: dict[tuple[str, int], Key] = {}
    asking: list[tuple[str, Command]] = []
    for place, uids in wanted:
        rows = known_of(connection.account, place.mailbox, place.uidvalidity).rows
        known = {uid: rows[uid] for uid in uids if uid in rows and order.has(rows[uid])}
        keys.update({(place.mailbox, uid): order.of_row(row) for uid, row in known.items()})
        unknown = [uid for uid in uids if uid not in known]
        for start in range(0, len(unknown), _AT_ONCE):
            asking.append((place.mailbox, (b"UID FETCH", uid_set(unknown[start : start + _AT_ONCE]), order.items)))
    current = {place.mailbox: place.uidvalidity for place, _uids in wanted}
    for name, opened, answers in in_each(connection, asking):
        if not isinstance(opened, MailError) and not isinstance(answers, MailError) and validity(opened) == current[name]:
            keys.update({(name, uid): key for uid, key in order.read(answers)})
    return keys


# --- dates and sizes: for thousands of them the library's parser would take seconds ----------------------------------

_DATED = re.compile(
    rb'\d+ \((?:UID (\d+) )?INTERNALDATE "([ \d]\d)-(\w{3})-(\d{4}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)"(?: UID (\d+))?\)'
)
_SIZED = re.compile(rb"\d+ \((?:UID (\d+) )?RFC822\.SIZE (\d+)(?: UID (\d+))?\)")


def _dates(answers: Untagged) -> Iterable[tuple[int, float]]:
    for line in answers.get("FETCH", []):
        if isinstance(line, bytes) and (found := _DATED.fullmatch(line)):
            day, month, year, hour, minute, second, sign, zone_hour, zone_minute = found.groups()[1:10]
            try:
                local = datetime(
                    int(year), MONTH_NUMBERS[month.lower()], int(day), int(hour), int(minute), min(int(second), 59), tzinfo=UTC
                )
                east = timedelta(hours=int(zone_hour), minutes=int(zone_minute)) * (1 if sign == b"+" else -1)
                yield int(found[1] or found[11]), (local - east).timestamp()
            except (KeyError, ValueError, OverflowError):
                continue


def _sizes(answers: Untagged) -> Iterable[tuple[int, float]]:
    for line in answers.get("FETCH", []):
        if isinstance(line, bytes) and (found := _SIZED.fullmatch(line)):
            yield int(found[1] or found[3]), float(found[2])


def _descending(read: Callable[[Untagged], Iterable[tuple[int, float]]]) -> Callable[[Untagged], Iterable[tuple[int, Key]]]:
    return lambda answers: ((uid, -key) for uid, key in read(answers))


# --- senders and subjects --------------------------------------------------------------------------------------------

_UID = re.compile(rb"\bUID (\d+)")
_REPLY = re.compile(r"(?:(?:re|ref|rép|aw|tr|fw|fwd)(?:\[\d+\])?\s*:\s*|\[[^\]]{0,80}\]\s*)+(?=\S)", re.IGNORECASE)


def subject_key(subject: str) -> str:
    """A subject as it is compared: without "Re:", "[list]" and accents, in lower case."""
    text = subject.strip()[: 4 * _LONGEST]
    found = _REPLY.match(text)
    return plain_key(text[found.end() :] if found else text)


def sender_key(people: Sequence[Address]) -> str:
    """The first sender as a row shows it, without accents and in lower case."""
    return plain_key(people[0].label) if people else ""


def plain_key(text: str) -> str:
    """A text as it is compared: without accents and an opening quotation mark, in lower case, at most 80 characters."""
    decomposed = unicodedata.normalize("NFKD", text[: 4 * _LONGEST].casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c)).lstrip(" \"'«“([")[:_LONGEST]


def _texts(answers: Untagged, name: str, key: Callable[[list[bytes]], str]) -> Iterable[tuple[int, Key]]:
    """The UID and the key of each FETCH response with one header field; a message without it has the key ""."""
    for pieces in joined(answers.get("FETCH", [])):
        around = b" ".join(piece[0] if isinstance(piece, tuple) else piece for piece in pieces if piece)
        literal = next((piece[1] for piece in pieces if isinstance(piece, tuple)), b"")
        if found := _UID.search(around):
            values = headers.fields(literal).get(name) if literal.strip() else None
            yield int(found[1]), key(values) if values else ""


def _by_sender(answers: Untagged) -> Iterable[tuple[int, Key]]:
    return _texts(answers, "from", lambda values: sender_key(authors(values, 1)))


def _by_subject(answers: Untagged) -> Iterable[tuple[int, Key]]:
    return _texts(answers, "subject", lambda values: subject_key(headers.decode(values[0])))


def _header(name: bytes) -> bytes:
    return b"(UID BODY.PEEK[HEADER.FIELDS (%b)]<0.1024>)" % name


_DATE, _SIZE = b"(UID INTERNALDATE)", b"(UID RFC822.SIZE)"
ORDERS = {
    "date": SortOrder(_DATE, _descending(_dates), lambda row: -row.received.timestamp(), reverse=True),
    "oldest": SortOrder(_DATE, _dates, lambda row: row.received.timestamp()),
    "size": SortOrder(_SIZE, _descending(_sizes), lambda row: -row.size, server=b"REVERSE SIZE", has=lambda row: row.size > 0),
    "from": SortOrder(_header(b"FROM"), _by_sender, lambda row: sender_key(row.sender), reverse=True, exact=False),
    "subject": SortOrder(_header(b"SUBJECT"), _by_subject, lambda row: subject_key(row.subject), reverse=True, exact=False),
}
