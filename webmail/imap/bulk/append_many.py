"""Appending many messages to a mailbox: several in one command where the server can (MULTIAPPEND, RFC 3502), else one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from webmail.errors import MailError, NoSuchMailboxError, NotAllowedError, OverQuotaError, RefusedError
from webmail.imap.connections.commands import expand_uid_set, flag_list, internal_date, mailbox_name
from webmail.imap.connections.connection import Connection
from webmail.imap.mailbox_list.mailboxes import forget
from webmail.imap.reading import messages


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message to append: raw with CRLF line ends, its flags, and when it was received."""

    content: bytes
    flags: tuple[str, ...]
    received: datetime


@dataclass(frozen=True, slots=True)
class Appended:
    """`uids[n]` is the UID of the n-th message: 0 if the server tells none (no UIDPLUS), None if it refused that message."""

    uidvalidity: int
    uids: tuple[int | None, ...]


class AppendStoppedError(MailError):
    """The server takes no more: `reason` says why, `appended` what it had taken."""

    def __init__(self, reason: MailError, appended: Appended) -> None:
        super().__init__(str(reason))
        self.reason = reason
        self.appended = appended


def append_many(connection: Connection, mailbox: str, new: Sequence[NewMessage]) -> Appended:
    """Append messages: 1 round trip where MULTIAPPEND and LITERAL+ are supported and nothing is refused, else one for each.

    A server that refuses one of several takes none (RFC 3502), so they are sent again one by one. Raises AppendStoppedError.
    """
    if len(new) > 1 and connection.has("MULTIAPPEND") and connection.has("LITERAL+"):
        try:
            return _together(connection, mailbox, new)
        except (RefusedError, OverQuotaError, NoSuchMailboxError, NotAllowedError):
            pass  # now find out which of them
    return _one_by_one(connection, mailbox, new)


def _together(connection: Connection, mailbox: str, new: Sequence[NewMessage]) -> Appended:
    words: list[bytes] = [b"APPEND", mailbox_name(mailbox)]
    for message in new:
        literal = b"{%d+}\r\n" % len(message.content) + message.content
        words += [flag_list(message.flags), internal_date(message.received), literal]
    answers = connection.run(tuple(words))
    forget(connection.account)
    told = (answers.get("APPENDUID") or [b""])[-1].split()
    uids = expand_uid_set(told[1].decode("ascii", "replace")) if len(told) == 2 else []
    if len(uids) != len(new):
        return Appended(0, (0,) * len(new))
    return Appended(int(told[0]), tuple(uids))


def _one_by_one(connection: Connection, mailbox: str, new: Sequence[NewMessage]) -> Appended:
    validity, uids = 0, list[int | None]()
    for message in new:
        try:
            now_valid, uid = messages.append(connection, mailbox, message.content, message.flags, message.received)
            validity = now_valid or validity
            uids.append(uid)
        except (NoSuchMailboxError, OverQuotaError, NotAllowedError) as error:
            raise AppendStoppedError(error, Appended(validity, tuple(uids))) from error
        except RefusedError:
            uids.append(None)
    return Appended(validity, tuple(uids))
