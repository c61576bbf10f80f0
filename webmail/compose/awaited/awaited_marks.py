"""Awaited marks: the keyword on a sent message to which a reply is awaited. Lists have it among the flags, at no cost."""

from __future__ import annotations

import logging
from typing import Any

from webmail import imap
from webmail.account import Account
from webmail.errors import MailboxChangedError, MailError, NoSuchMailboxError, NotAllowedError
from webmail.imap.connections.connection import Connection
from webmail.imap.mailbox_list import mailboxes
from webmail.mail import Role
from webmail.models import AwaitedReply, User

log = logging.getLogger(__name__)

KEYWORD = "$AwaitingReply"
_MOST = 100  # in a round
_ROLES = (Role.SENT, Role.ARCHIVE, Role.TRASH)  # where a sent message may have been moved to
_OVER: Any = AwaitedReply.answered.is_null(False) | AwaitedReply.ended.is_null(False)


def is_kept(connection: Connection) -> bool:
    """Whether the selected mailbox keeps it."""
    return not connection.read_only and connection.keeps(KEYWORD)


def mark(row: AwaitedReply, account: Account) -> None:
    """Put the keyword on the message, where its mailbox keeps it. 2 round trips, or more where it was moved. Raises what
    `imap.connect` does."""
    with imap.connect(account, row.mailbox) as connection:
        if (uid := find(connection, row)) and is_kept(connection):
            imap.actions.set_flags(connection, row.mailbox, [uid], [KEYWORD])
            AwaitedReply.update(marked=1).where(AwaitedReply.id == row.id).execute()


def settle(user: User, account: Account) -> int:
    """Take the keyword off messages that were answered or let be; of how many. 1 query, and 3 round trips for each."""
    rows = AwaitedReply.select().where(AwaitedReply.user == user, AwaitedReply.marked == 1, _OVER)
    return sum(unmark(row, account) for row in rows.limit(_MOST))


def unsettled() -> list[User]:
    """Who has such messages. 1 query, and 1 each."""
    rows = AwaitedReply.select(AwaitedReply.user).where(AwaitedReply.marked == 1, _OVER).distinct()
    return [row.user for row in rows if row.user.active]


def unmark(row: AwaitedReply, account: Account) -> bool:
    """Take the keyword off one; False if that is to be tried again. One that cannot be found keeps it: people can take it off, as
    any tag."""
    try:
        with imap.connect(account, row.mailbox) as connection:
            if uid := find(connection, row):
                imap.actions.set_flags(connection, row.mailbox, [uid], [KEYWORD], False)
    except (NoSuchMailboxError, NotAllowedError) as error:
        log.info("the keyword of awaited reply %d stays: %s", row.id, error)
    except MailError as error:
        log.warning("the keyword of awaited reply %d is taken off later: %s", row.id, error)
        return False
    AwaitedReply.update(marked=0).where(AwaitedReply.id == row.id).execute()
    return True


def find(connection: Connection, row: AwaitedReply) -> int:
    """The UID of the message, 0 if it can't be found; the row learns where it is. 1 round trip after the SELECT, 2 or more where
    it was moved: then it is searched in its mailbox, and in those for sent, archived and deleted messages."""
    if row.uid and _is_there(connection, row):
        return row.uid
    roles = [one for one in mailboxes.without_counts(connection) if one.role in _ROLES]
    for name in dict.fromkeys([row.mailbox, *(one.name for one in sorted(roles, key=lambda one: _ROLES.index(one.role)))]):
        try:
            found = imap.messages.find_message_id(connection, name, row.message_id)
        except (NoSuchMailboxError, NotAllowedError):
            continue
        if found:
            row.mailbox, row.uidvalidity, row.uid = name, connection.uidvalidity, max(found)
            place = {"mailbox": name, "uidvalidity": row.uidvalidity, "uid": row.uid}
            AwaitedReply.update(**place).where(AwaitedReply.id == row.id).execute()
            return row.uid
    return 0


def _is_there(connection: Connection, row: AwaitedReply) -> bool:
    try:
        return imap.actions.with_flag(connection, row.mailbox, [row.uid], b"ALL", row.uidvalidity) == [row.uid]
    except (NoSuchMailboxError, MailboxChangedError, NotAllowedError):
        return False
