"""Bulk fetching: identities, structures and contents of many messages at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeVar

from webmail.account import Account
from webmail.errors import NoSuchMessageError
from webmail.imap.bulk.actions import pieces
from webmail.imap.connections.commands import mailbox_name, uid_set
from webmail.imap.connections.connection import Connection
from webmail.imap.connections.pool import connect
from webmail.imap.connections.responses import fetched, flags_of, header_bytes_of, numbers_of, parsed, structure_of, when_of
from webmail.imap.reading.messages import stream_raw
from webmail.mail import Address, Structure
from webmail.mime.headers import answer_headers as answer_headers_read
from webmail.mime.headers import headers

_HEADERS = b"BODY.PEEK[HEADER.FIELDS (MESSAGE-ID FROM SUBJECT)]<0.16384>"
_ANSWERS = f"BODY.PEEK[HEADER.FIELDS ({answer_headers_read.FIELDS})]<0.32768>".encode()
_BEGINNING = b"BODY.PEEK[]<0.65536>"
_BATCH = 512 * 1024  # bytes fetched in one round trip
_MOST_TOGETHER = 200  # messages


@dataclass(frozen=True, slots=True)
class MessageFingerprint:
    """Identifies a message, for deduplication. `size` in bytes; `message_id` with angle brackets, "" if it has none."""

    uid: int
    size: int
    received: datetime
    message_id: str
    subject: str
    sender: tuple[Address, ...]
    flags: frozenset[str] = frozenset()


def identities(
    connection: Connection, mailbox: str, uids: Iterable[int], uidvalidity: int | None = None
) -> dict[int, MessageFingerprint]:
    """Fingerprints by UID, of those that exist: 1 round trip for each of `pieces` after the SELECT."""
    connection.select(mailbox, uidvalidity)
    found: dict[int, MessageFingerprint] = {}
    for piece in pieces(uids):
        answers = fetched(
            connection.run((b"UID FETCH", uid_set(piece), b"(UID FLAGS RFC822.SIZE INTERNALDATE " + _HEADERS + b")"))
        )
        found.update({uid: _identity(uid, answers[uid]) for uid in piece if b"RFC822.SIZE" in answers.get(uid, {})})
    return found


def _identity(uid: int, values: dict[bytes, Any]) -> MessageFingerprint:
    envelope = headers.envelope(header_bytes_of(values))
    size = values[b"RFC822.SIZE"]
    return MessageFingerprint(
        uid, size, when_of(values), envelope.message_id[:998], envelope.subject[:500], envelope.sender[:5], flags_of(values)
    )


def structures(
    connection: Connection, mailbox: str, uids: Iterable[int], uidvalidity: int | None = None
) -> dict[int, Structure | None]:
    """Structures by UID, of those that exist, None if it can't be parsed: 1 round trip for each of `pieces` after the SELECT."""
    connection.select(mailbox, uidvalidity)
    found: dict[int, Structure | None] = {}
    for piece in pieces(uids):
        answers = fetched(connection.run((b"UID FETCH", uid_set(piece), b"(UID BODYSTRUCTURE)")))
        found.update({uid: structure_of(answers[uid].get(b"BODYSTRUCTURE")) for uid in piece if uid in answers})
    return found


def answer_headers(connection: Connection, mailbox: str, uids: Iterable[int], uidvalidity: int | None = None) -> dict[int, bytes]:
    """What messages say of those that they answer (mime/headers/answer_headers.py), by UID: 1 round trip for each of `pieces`
    after the SELECT."""
    found = _pieces_of(connection, mailbox, uids, _ANSWERS, uidvalidity)
    return {uid: header_bytes_of(values) for uid, values in found.items()}


def beginnings(connection: Connection, mailbox: str, uids: Iterable[int], uidvalidity: int | None = None) -> dict[int, bytes]:
    """The first 64 KB of messages, by UID: 1 round trip for each of `pieces` after the SELECT."""
    found = _pieces_of(connection, mailbox, uids, _BEGINNING, uidvalidity)
    return {uid: values.get(b"BODY[]<0>", values.get(b"BODY[]", b"")) for uid, values in found.items()}


def bodies(
    connection: Connection, mailbox: str, uids: Iterable[int], most: int, uidvalidity: int | None = None
) -> dict[int, bytes]:
    """The first `most` bytes of what follows the header, by UID: 1 round trip for each of `pieces` after the SELECT."""
    found = _pieces_of(connection, mailbox, uids, b"BODY.PEEK[TEXT]<0.%d>" % most, uidvalidity)
    return {uid: values.get(b"BODY[TEXT]<0>", values.get(b"BODY[TEXT]", b"")) for uid, values in found.items()}


def _pieces_of(
    connection: Connection, mailbox: str, uids: Iterable[int], item: bytes, uidvalidity: int | None
) -> dict[int, dict[bytes, Any]]:
    connection.select(mailbox, uidvalidity)
    found: dict[int, dict[bytes, Any]] = {}
    for piece in pieces(uids):
        answers = fetched(connection.run((b"UID FETCH", uid_set(piece), b"(UID " + item + b")")))
        found.update({uid: answers[uid] for uid in piece if uid in answers})
    return found


def next_uid(connection: Connection, mailbox: str) -> tuple[int, int]:
    """UIDVALIDITY and UIDNEXT, the lowest UID that the next message can have; 0 if unknown: 1 round trip.

    Not for the selected mailbox. Raises NoSuchMailboxError.
    """
    answers = connection.run((b"STATUS", mailbox_name(mailbox), b"(UIDVALIDITY UIDNEXT)"))
    for _name, items, *_rest in parsed(answers.get("STATUS", [])):
        values = dict(zip(items[::2], items[1::2], strict=False))
        return values.get(b"UIDVALIDITY", 0), values.get(b"UIDNEXT", 0)
    return 0, 0


def uids_from(connection: Connection, floor: int) -> list[int]:
    """UIDs of the selected mailbox from this one on, in order: 1 round trip. "n:*" also names the last message if it is below."""
    answer = connection.run((b"UID SEARCH", b"UID", b"%d:*" % max(floor, 1)))
    return sorted(uid for uid in numbers_of(answer.get("SEARCH", [])) if uid >= floor)


def newest_uids(connection: Connection, most: int) -> list[int]:
    """UIDs of the last messages of the selected mailbox, in order: 1 round trip, none if it is empty."""
    if not connection.exists:
        return []
    answer = connection.run((b"UID SEARCH", b"%d:*" % max(connection.exists - most + 1, 1)))
    return sorted(numbers_of(answer.get("SEARCH", [])))


def contents(
    account: Account, mailbox: str, messages: Sequence[MessageFingerprint], uidvalidity: int
) -> Iterator[tuple[MessageFingerprint, Iterator[bytes]]]:
    """Stream each raw message in constant memory: 1 round trip per 512 KiB, small messages share one.

    Each round trip borrows its own connection. Messages deleted meanwhile are left out. Consume the bytes of one message before
    advancing to the next.
    """
    for batch in batches(messages, _BATCH, _MOST_TOGETHER):
        if len(batch) == 1 and batch[0].size > _BATCH:
            try:
                chunks = stream_raw(account, mailbox, batch[0].uid, uidvalidity)
                first = next(chunks, b"")
            except NoSuchMessageError:
                continue
            yield batch[0], _after(first, chunks)
            continue
        with connect(account, mailbox) as connection:
            connection.select(mailbox, uidvalidity)
            items = uid_set(message.uid for message in batch), b"(UID BODY.PEEK[])"
            answers = fetched(connection.run((b"UID FETCH", *items)))
        for message in batch:
            if (content := answers.get(message.uid, {}).get(b"BODY[]")) is not None:
                yield message, iter([content])


def _after(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


class Sized(Protocol):
    """Anything with a size in bytes."""

    @property
    def size(self) -> int: ...


Item = TypeVar("Item", bound=Sized)


def batches(items: Iterable[Item], size: int, most: int) -> Iterator[list[Item]]:
    """Group items into batches of at most `size` bytes and `most` items; a larger item is a batch of its own."""
    batch: list[Item] = []
    total = 0
    for item in items:
        if batch and (total + item.size > size or len(batch) >= most):
            yield batch
            batch, total = [], 0
        batch.append(item)
        total += item.size
    if batch:
        yield batch
