"""Space usage of a mailbox: the largest messages of all folders, and who sent how much."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from webmail.errors import MailError
from webmail.imap.bulk.actions import pieces
from webmail.imap.connections.commands import imap_day, quoted, uid_set
from webmail.imap.connections.connection import Command, Connection
from webmail.imap.connections.multi_fetch import Untagged, in_each, validity
from webmail.imap.connections.responses import fetched, header_bytes_of, numbers_of, when_of
from webmail.mail import Address
from webmail.mime.headers import headers

_TIERS = (1_000_000, 100_000, 10_000)  # bytes: smaller ones are looked for only where there are too few larger ones
_MOST_SIZES = 500  # of one mailbox whose server can't sort: the newest of those that are large
_SHOWN = b"(UID RFC822.SIZE INTERNALDATE BODY.PEEK[HEADER.FIELDS (FROM SUBJECT)]<0.8192>)"
_COUNTED = b"(UID RFC822.SIZE INTERNALDATE BODY.PEEK[HEADER.FIELDS (FROM LIST-ID LIST-UNSUBSCRIBE)]<0.8192>)"


@dataclass(frozen=True, slots=True)
class LargeMessage:
    """A row of the largest messages; `size` in bytes."""

    mailbox: str
    uidvalidity: int
    uid: int
    size: int
    received: datetime
    subject: str
    sender: tuple[Address, ...]


@dataclass(frozen=True, slots=True)
class CountedMessage:
    """What a message adds to its sender's account. `is_list`: it came by a mailing list or as a newsletter; `can_be_left`: it
    says how to leave that.
    """

    uid: int
    size: int
    received: datetime
    sender: Address
    is_list: bool
    can_be_left: bool = False


def largest(connection: Connection, names: Sequence[str], most: int) -> list[LargeMessage]:
    """The largest messages of these mailboxes, the largest first. Mailboxes that can't be searched are left out.

    3 to 5 round trips for each 24 KB of commands: the UIDs (again with a lower bound while too few are found), sizes, rows.
    """
    found: list[tuple[str, int, list[int]]] = []
    for least in _TIERS:
        found = list(_large(connection, names, least, most))
        if sum(len(uids) for _name, _validity, uids in found) >= most:
            break
    sizes = [
        (values.get(b"RFC822.SIZE", 0), name, uid)
        for name, answers in _fetched(connection, [(name, uids) for name, _v, uids in found], b"(UID RFC822.SIZE)")
        for uid, values in answers.items()
    ]
    best: dict[str, list[int]] = {}
    for _size, name, uid in sorted(sizes, reverse=True)[:most]:
        best.setdefault(name, []).append(uid)
    validities = {name: value for name, value, _uids in found}
    rows = [
        _row(name, validities[name], uid, values)
        for name, answers in _fetched(connection, list(best.items()), _SHOWN)
        for uid, values in answers.items()
        if uid in best[name] and b"RFC822.SIZE" in values
    ]
    return sorted(rows, key=lambda row: -row.size)


def counted(connection: Connection, first: int, last: int) -> list[CountedMessage]:
    """What the messages with these sequence numbers add, of the selected mailbox: 1 round trip."""
    answers = fetched(connection.run((b"FETCH", b"%d:%d" % (first, last), _COUNTED)))
    return [_counted(uid, values) for uid, values in answers.items() if b"RFC822.SIZE" in values]


def of_list(
    connection: Connection, names: Sequence[str], address: str, before: date
) -> Iterator[tuple[str, int, list[CountedMessage]]]:
    """Messages that came by a list or as a newsletter from exactly this address before a day: mailbox, UIDVALIDITY, messages.

    1 round trip for each 24 KB of commands, and 1 for each that has some: a search for an address finds others that contain it.
    """
    search: Command = (b"UID SEARCH", b"CHARSET", b"UTF-8", b"BEFORE", imap_day(before), b"FROM", quoted(address))
    for name, uidvalidity, answer in _in_each(connection, [(name, search) for name in names]):
        messages: list[CountedMessage] = []
        for piece in pieces(numbers_of(answer.get("SEARCH", []))):
            for _name, values in _fetched(connection, [(name, piece)], _COUNTED):
                messages += [_counted(uid, one) for uid, one in values.items() if b"RFC822.SIZE" in one]
        kept = [one for one in messages if one.is_list and key_of(one.sender) == address]
        if kept:
            yield name, uidvalidity, kept


def key_of(sender: Address) -> str:
    """By which messages of one sender are put together."""
    return sender.email.lower()[:254]


def _large(connection: Connection, names: Sequence[str], least: int, most: int) -> Iterator[tuple[str, int, list[int]]]:
    larger = (b"LARGER", b"%d" % least)
    can_sort = connection.has("SORT")
    ask: Command = (b"UID SORT", b"(REVERSE SIZE)", b"US-ASCII", *larger) if can_sort else (b"UID SEARCH", *larger)
    for name, uidvalidity, answer in _in_each(connection, [(name, ask) for name in names]):
        uids = numbers_of(answer.get("SORT" if can_sort else "SEARCH", []))
        if uids:
            yield name, uidvalidity, uids[:most] if can_sort else sorted(uids)[-_MOST_SIZES:]


def _fetched(
    connection: Connection, wanted: Sequence[tuple[str, Iterable[int]]], items: bytes
) -> Iterator[tuple[str, dict[int, dict[bytes, Any]]]]:
    asking: list[tuple[str, Command]] = [(name, (b"UID FETCH", uid_set(uids), items)) for name, uids in wanted]
    for name, _validity, answer in _in_each(connection, asking):
        yield name, fetched(answer)


def _in_each(connection: Connection, asking: Sequence[tuple[str, Command]]) -> Iterator[tuple[str, int, Untagged]]:
    """(mailbox, UIDVALIDITY, answer) of each command in its mailbox; those that are refused are left out."""
    for name, opened, told in in_each(connection, asking):
        if not isinstance(opened, MailError) and not isinstance(told, MailError):
            yield name, validity(opened), told


def _row(name: str, validity: int, uid: int, values: dict[bytes, Any]) -> LargeMessage:
    envelope = headers.envelope(header_bytes_of(values))
    size = values[b"RFC822.SIZE"]
    return LargeMessage(name, validity, uid, size, when_of(values), envelope.subject[:300], envelope.sender[:3])


def _counted(uid: int, values: dict[bytes, Any]) -> CountedMessage:
    head = header_bytes_of(values)
    sender = next(iter(headers.envelope(head).sender), Address("", ""))
    named = headers.fields(head)
    can_be_left = bool(named.get("list-unsubscribe"))
    is_list = can_be_left or bool(named.get("list-id"))
    return CountedMessage(uid, values[b"RFC822.SIZE"], when_of(values), sender, is_list, can_be_left)
