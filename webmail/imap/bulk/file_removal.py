"""File removal from messages: which there are, of many messages at once; and putting a message in the place of another."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import IO

from webmail.imap.bulk import bulk_fetch
from webmail.imap.bulk.actions import pieces, removable
from webmail.imap.connections.commands import uid_set
from webmail.imap.connections.connection import Connection
from webmail.imap.connections.responses import fetched, flags_of, header_bytes_of, when_of
from webmail.imap.reading import messages
from webmail.imap.reading.bodystructure import tree
from webmail.mail import Address
from webmail.mime.detach import Detachable, KeepReason, detachable
from webmail.mime.headers import headers

_ITEMS = b"(UID RFC822.SIZE BODYSTRUCTURE BODY.PEEK[HEADER.FIELDS (FROM SUBJECT)]<0.8192>)"


@dataclass(frozen=True, slots=True)
class MessageFiles:
    """A message with the files that can be taken out of it; `size` in bytes."""

    uid: int
    size: int
    subject: str
    sender: tuple[Address, ...]
    files: Detachable


@dataclass(frozen=True, slots=True)
class MessageTraits:
    """What a message is, besides its content: `flags` without \\Recent, `received` when it came (INTERNALDATE)."""

    size: int
    flags: tuple[str, ...]
    received: datetime
    message_id: str


def files_of(
    connection: Connection, mailbox: str, uids: Iterable[int], uidvalidity: int | None = None
) -> dict[int, MessageFiles]:
    """By UID, of those that exist: 1 round trip for each of `pieces` after the SELECT. Raises MailboxChangedError."""
    connection.select(mailbox, uidvalidity)
    found: dict[int, MessageFiles] = {}
    for piece in pieces(uids):
        answers = fetched(connection.run((b"UID FETCH", uid_set(piece), _ITEMS)))
        for uid in (uid for uid in piece if b"RFC822.SIZE" in answers.get(uid, {})):
            values = answers[uid]
            envelope = headers.envelope(header_bytes_of(values))
            files = _files(values.get(b"BODYSTRUCTURE"))
            found[uid] = MessageFiles(uid, values[b"RFC822.SIZE"], envelope.subject[:300], envelope.sender[:3], files)
    return found


def original(connection: Connection, mailbox: str, uid: int, uidvalidity: int) -> MessageTraits | None:
    """None if it is gone. 1 round trip after the SELECT. Raises MailboxChangedError, NoSuchMailboxError, and NotAllowedError if
    it may not be removed."""
    connection.select(mailbox, uidvalidity)
    removable(connection)
    values = fetched(connection.run((b"UID FETCH", uid_set([uid]), b"(UID FLAGS)"))).get(uid)
    one = bulk_fetch.identities(connection, mailbox, [uid], uidvalidity).get(uid) if values else None
    if values is None or one is None:
        return None
    flags = tuple(sorted(flag for flag in flags_of(values) if flag.lower() != "\\recent"))
    return MessageTraits(one.size, flags, one.received, one.message_id)


def floor(connection: Connection, mailbox: str) -> int:
    """The lowest UID that a message which comes now can have: 1 round trip after the SELECT."""
    connection.select(mailbox)
    if not connection.exists:
        return 1
    return max(fetched(connection.run((b"UID FETCH", b"*", b"(UID)"))), default=0) + 1


def append(connection: Connection, mailbox: str, content: IO[bytes], like: MessageTraits) -> int:
    """Append with the flags and the date of another message; the UID, 0 if the server tells none. Raises what
    `messages.append` raises."""
    return messages.append(connection, mailbox, content, like.flags, like.received)[1]


def find(connection: Connection, mailbox: str, least: int, size: int, message_id: str) -> int:
    """The UID of the message of this size and Message-ID that came at `least` or later, 0 if there is none: 2 round trips.

    By this a message is known that was appended or moved by whoever was killed before noting its UID.
    """
    connection.select(mailbox)
    answers = fetched(connection.run((b"UID FETCH", b"%d:*" % least, b"(UID RFC822.SIZE)")))
    near = [uid for uid, values in answers.items() if uid >= least and values.get(b"RFC822.SIZE") == size]
    known = bulk_fetch.identities(connection, mailbox, near) if near else {}
    return max((uid for uid, one in known.items() if one.message_id == message_id), default=0)


def is_like(connection: Connection, mailbox: str, uid: int, size: int, like: MessageTraits) -> bool:
    """Whether the message is there as it was appended: its size, its flags, its date. 1 round trip after the SELECT."""
    connection.select(mailbox)
    values = fetched(connection.run((b"UID FETCH", uid_set([uid]), b"(UID RFC822.SIZE FLAGS INTERNALDATE)"))).get(uid, {})
    missing = {flag.lower() for flag in like.flags} - {flag.lower() for flag in flags_of(values)}
    return values.get(b"RFC822.SIZE") == size and not missing and when_of(values) == like.received


def _files(body: object) -> Detachable:
    try:
        return detachable(tree(body))
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return Detachable(kept=KeepReason.ODD)
