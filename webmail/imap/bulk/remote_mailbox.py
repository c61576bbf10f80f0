"""Mailbox on another server: lists its folders, with what Gmail's extensions tell, and reads its messages in batches, to move in.

Gmail (X-GM-EXT-1) shows a message in each folder whose label it has, and once in "All Mail": there it is read, with its labels.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from imapclient import imap_utf7

from webmail.errors import NoSuchMailboxError, NotAllowedError, RefusedError
from webmail.imap.bulk.bulk_fetch import batches, uids_from
from webmail.imap.connections.commands import uid_set
from webmail.imap.connections.connection import Connection
from webmail.imap.connections.responses import fetched, header_bytes_of, when_of
from webmail.imap.mailbox_list import mailboxes
from webmail.imap.mailbox_list.list_answers import list_lines
from webmail.mail import Address, Role
from webmail.mime.headers import headers

_HEADERS = b"BODY.PEEK[HEADER.FIELDS (MESSAGE-ID FROM SUBJECT)]<0.16384>"
_AT_ONCE, _SIZES_AT_ONCE = 500, 5_000
_BATCH = 8_000_000  # bytes fetched in one round trip
_MOST_LABELS = 50


@dataclass(frozen=True, slots=True)
class RemoteFolder:
    """A folder to read. `path` is its name by levels; `role` its special use. `messages` is how many it has."""

    name: str
    path: tuple[str, ...]
    role: Role | None
    messages: int
    subscribed: bool = True


@dataclass(frozen=True, slots=True)
class RemoteMessage:
    """What is known of a message before it is fetched. `labels` are Gmail's; None on other servers."""

    uid: int
    size: int
    received: datetime
    flags: tuple[str, ...]
    message_id: str
    subject: str
    sender: tuple[Address, ...]
    labels: tuple[str, ...] | None = None


def folders(connection: Connection) -> list[RemoteFolder]:
    """The folders to read, by name; not those of others, nor Gmail's that show the same messages again. 2 round trips or more."""
    found = mailboxes.overview(connection)
    root = found.namespaces.root[0]
    listed = [m for m in found.mailboxes if m.selectable and not m.owner]
    special = _special(connection)
    if is_gmail(connection):
        listed = [m for m in listed if special.get(m.name, set()) & {"\\all", "\\junk", "\\trash"}]
    else:  # some show messages of others (RFC 6154: \All, \Flagged; RFC 8457: \Important)
        listed = [m for m in listed if not special.get(m.name, set()) & {"\\all", "\\flagged", "\\important"}]
    made = []
    for m in listed:
        name = m.name.removeprefix(root) if root and m.name != root else m.name
        path = tuple(name.split(m.delimiter)) if m.delimiter else (name,)
        told = connection.has("SPECIAL-USE") and m.role is not Role.INBOX  # where the server says so, names say nothing
        role = mailboxes.role_of(special.get(m.name, set())) if told else m.role
        made.append(RemoteFolder(m.name, path, role, m.messages, m.subscribed))
    return sorted(made, key=lambda folder: folder.name)


def is_gmail(connection: Connection) -> bool:
    return connection.has("X-GM-EXT-1")


def _special(connection: Connection) -> dict[str, frozenset[str]]:
    """The flags of each folder, in lower case: 1 round trip."""
    also = b" RETURN (SPECIAL-USE)" if connection.has("SPECIAL-USE") and connection.has("LIST-EXTENDED") else b""
    answers = connection.run((b"LIST", b'""', b'"*"' + also))
    return {listed.name: listed.flags for listed in list_lines(answers.get("LIST", []))}


def size_of(connection: Connection, folder: RemoteFolder) -> int:
    """Bytes of a folder's messages: 1 round trip for 5,000 after the SELECT. A folder that can't be opened has none."""
    try:
        connection.select(folder.name)
    except (NoSuchMailboxError, NotAllowedError, RefusedError):
        return 0
    total = 0
    for first in range(1, connection.exists + 1, _SIZES_AT_ONCE):
        last = min(first + _SIZES_AT_ONCE - 1, connection.exists)
        answers = connection.run((b"FETCH", b"%d:%d" % (first, last), b"(UID RFC822.SIZE)"))
        total += sum(values.get(b"RFC822.SIZE", 0) for values in fetched(answers).values())
    return total


def listing(
    connection: Connection, folder: RemoteFolder, after: int, without: Container[int] = frozenset()
) -> Iterator[RemoteMessage]:
    """The messages with a UID above `after` and not of `without`, in order: 1 round trip for 500 after the SELECT and the SEARCH.

    A folder that can't be opened has none.
    """
    try:
        connection.select(folder.name)
    except (NoSuchMailboxError, NotAllowedError, RefusedError):
        return
    if not connection.exists:
        return
    uids = [uid for uid in uids_from(connection, after + 1) if uid not in without]
    items = b"(UID FLAGS INTERNALDATE RFC822.SIZE " + (b"X-GM-LABELS " if is_gmail(connection) else b"") + _HEADERS + b")"
    for at in range(0, len(uids), _AT_ONCE):
        piece = uids[at : at + _AT_ONCE]
        connection.select(folder.name)
        answers = fetched(connection.run((b"UID FETCH", uid_set(piece), items)))
        for uid in piece:
            if b"RFC822.SIZE" in answers.get(uid, {}):
                yield _message(uid, answers[uid])


def flags_of(connection: Connection, uids: Sequence[int]) -> Iterator[tuple[int, tuple[str, ...]]]:
    """The flags of those messages of the selected folder that are still there: 1 round trip for 5,000."""
    for at in range(0, len(uids), _SIZES_AT_ONCE):
        answers = connection.run((b"UID FETCH", uid_set(uids[at : at + _SIZES_AT_ONCE]), b"(UID FLAGS)"))
        for uid, values in fetched(answers).items():
            if b"FLAGS" in values:
                yield uid, _flags(values)


def _flags(values: dict[bytes, Any]) -> tuple[str, ...]:
    return tuple(flag.decode("ascii", "replace") for flag in values.get(b"FLAGS", ()) if isinstance(flag, bytes))


def _message(uid: int, values: dict[bytes, Any]) -> RemoteMessage:
    envelope = headers.envelope(header_bytes_of(values))
    labels = tuple(map(_label, values[b"X-GM-LABELS"][:_MOST_LABELS])) if b"X-GM-LABELS" in values else None
    return RemoteMessage(
        uid, values[b"RFC822.SIZE"], when_of(values), _flags(values), envelope.message_id[:998], envelope.subject[:500],
        envelope.sender[:5], labels,
    )  # fmt: skip


def _label(raw: Any) -> str:
    """Labels are in modified UTF-7, like mailbox names; a label that is a number is parsed as one. Never raises."""
    if not isinstance(raw, bytes):
        return str(raw)
    try:
        return imap_utf7.decode(raw)
    except UnicodeError:  # one odd label must not end the moving of all
        return raw.decode("utf-8", "replace")


def contents(connection: Connection, folder: str, sizes: Sequence[tuple[int, int]]) -> dict[int, bytes]:
    """The messages of these (UID, size), by UID: 1 round trip for 8 MB after the SELECT. One that is gone is left out."""
    found: dict[int, bytes] = {}
    for batch in batches([_Sized(uid, size) for uid, size in sizes], _BATCH, _AT_ONCE):
        connection.select(folder)
        answers = fetched(connection.run((b"UID FETCH", uid_set(one.uid for one in batch), b"(UID BODY.PEEK[])")))
        found |= {uid: values[b"BODY[]"] for uid, values in answers.items() if isinstance(values.get(b"BODY[]"), bytes)}
    return found


@dataclass(frozen=True, slots=True)
class _Sized:
    uid: int
    size: int
