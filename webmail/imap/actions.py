"""Verbs that change messages: flags, move, copy, delete. Each says what it changed, so that it can be undone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from webmail.imap.commands import expand_uid_set, flag_list, mailbox_name, uid_set
from webmail.imap.connection import Connection
from webmail.imap.mailboxes import forget
from webmail.mail import NotAllowed


@dataclass(frozen=True, slots=True)
class Moved:
    """Where messages are now: UIDs in the target mailbox, none where the server does not tell (no UIDPLUS)."""

    mailbox: str
    uidvalidity: int
    uids: tuple[int, ...]


def set_flags(
    connection: Connection,
    mailbox: str,
    uids: Iterable[int],
    flags: Iterable[str],
    add: bool = True,
    uidvalidity: int | None = None,
) -> None:
    """Add or remove flags: 1 round trip after the SELECT. Messages that are gone are passed over in silence."""
    connection.select(mailbox, uidvalidity)
    _writable(connection)
    connection.run((b"UID STORE", uid_set(uids), b"+FLAGS.SILENT" if add else b"-FLAGS.SILENT", flag_list(flags)))
    forget(connection.account)


def with_flag(
    connection: Connection, mailbox: str, uids: Iterable[int], flag: bytes, uidvalidity: int | None = None
) -> list[int]:
    """Those of `uids` for which a SEARCH key such as b"UNSEEN" holds: 1 round trip after the SELECT."""
    connection.select(mailbox, uidvalidity)
    answer = connection.run((b"UID SEARCH", b"UID", uid_set(uids), flag))
    return [int(word) for line in answer.get("SEARCH", []) for word in line.split()]


def move(connection: Connection, mailbox: str, uids: Iterable[int], to: str, uidvalidity: int | None = None) -> Moved:
    """Move messages: 1 round trip after the SELECT (RFC 6851), 3 on servers without MOVE.

    Raises NoSuchMailbox (either), OverQuota, NotAllowed; then nothing was moved.
    """
    connection.select(mailbox, uidvalidity)
    _writable(connection)
    forget(connection.account)
    wanted = uid_set(uids)
    if connection.has("MOVE"):
        return _moved(to, connection.run((b"UID MOVE", wanted, mailbox_name(to))))
    answers = connection.run((b"UID COPY", wanted, mailbox_name(to)))
    _expunge(connection, wanted)
    return _moved(to, answers)


def delete(connection: Connection, mailbox: str, uids: Iterable[int], uidvalidity: int | None = None) -> None:
    """Expunge these messages for good: 2 round trips after the SELECT."""
    connection.select(mailbox, uidvalidity)
    _writable(connection)
    forget(connection.account)
    _expunge(connection, uid_set(uids))


def _writable(connection: Connection) -> None:
    if connection.read_only:
        raise NotAllowed(f"{connection.mailbox} may only be read")


def _expunge(connection: Connection, uids: bytes) -> None:
    connection.run((b"UID STORE", uids, b"+FLAGS.SILENT", b"(\\Deleted)"))
    if connection.has("UIDPLUS"):
        connection.run((b"UID EXPUNGE", uids))
    else:
        connection.run((b"EXPUNGE",))


def _moved(to: str, answers: dict[str, list[Any]]) -> Moved:
    """The COPYUID response code: UIDVALIDITY, source UIDs, target UIDs (RFC 4315 section 3)."""
    words = (answers.get("COPYUID") or [b""])[-1].decode("ascii", "replace").split()
    if len(words) != 3:
        return Moved(to, 0, ())
    return Moved(to, int(words[0]), tuple(expand_uid_set(words[2])))
