"""What a person does to messages of a list or to the one being read, and how it is taken back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from webmail import imap
from webmail.imap.commands import expand_uid_set, uid_set
from webmail.imap.connection import Connection
from webmail.mail import NoSuchMailbox, Role, UnsafeValue

_FLAGS = {  # action: (flag, add it?, SEARCH key of those that it changes)
    "read": ("\\Seen", True, b"UNSEEN"),
    "unread": ("\\Seen", False, b"SEEN"),
    "flag": ("\\Flagged", True, b"UNFLAGGED"),
    "unflag": ("\\Flagged", False, b"FLAGGED"),
}
_ROLES = {"archive": Role.ARCHIVE, "delete": Role.TRASH, "junk": Role.JUNK, "notjunk": Role.INBOX}
ACTIONS = (*_FLAGS, *_ROLES, "move", "destroy")


@dataclass(frozen=True, slots=True)
class Done:
    """What an action did to how many messages; `undo` holds the fields that `undo()` takes, empty when it can't."""

    action: str
    count: int
    to: str = ""
    undo: dict[str, Any] = field(default_factory=dict)


def act(connection: Connection, mailbox: str, uids: Sequence[int], action: str, to: str, uidvalidity: int) -> Done:
    """Carry out one of ACTIONS on `uids`: at most 4 round trips, whatever their number.

    Raises UnsafeValue for an unknown action, NoSuchMailbox for a move to nowhere, and what `imap.actions` raise.
    """
    if action in _FLAGS:
        return _set_flag(connection, mailbox, uids, action, uidvalidity)
    if action == "destroy":
        imap.actions.delete(connection, mailbox, uids, uidvalidity)
        return Done("destroy", len(uids))
    if action not in ACTIONS:
        raise UnsafeValue("not an action")
    connection.select(mailbox, uidvalidity)  # before anything is created: the list may be of another age
    target = to if action == "move" else imap.mailboxes.for_role(connection, _ROLES[action])
    if not target:
        raise NoSuchMailbox("a move needs a folder")
    if target == mailbox:
        return Done(action, 0, target)
    moved = imap.actions.move(connection, mailbox, uids, target, uidvalidity)
    back = {"mailbox": target, "v": moved.uidvalidity, "uids": uid_set(moved.uids).decode(), "to": mailbox} if moved.uids else {}
    return Done(action, len(moved.uids) or len(uids), target, back)


def _set_flag(connection: Connection, mailbox: str, uids: Sequence[int], action: str, uidvalidity: int) -> Done:
    flag, add, key = _FLAGS[action]
    changing = imap.actions.with_flag(connection, mailbox, uids, key, uidvalidity)
    if not changing:
        return Done(action, 0)
    imap.actions.set_flags(connection, mailbox, changing, [flag], add, uidvalidity)
    reverse = {"read": "unread", "unread": "read", "flag": "unflag", "unflag": "flag"}[action]
    back = {"mailbox": mailbox, "v": connection.uidvalidity, "uids": uid_set(changing).decode(), "action": reverse}
    return Done(action, len(changing), undo=back)


def undo(connection: Connection, fields: dict[str, str]) -> int:
    """Take back what `Done.undo` describes; returns how many messages. Raises MailboxChanged, NoSuchMailbox."""
    try:
        uids, uidvalidity = expand_uid_set(fields["uids"]), int(fields["v"])
        mailbox = fields["mailbox"]
    except (KeyError, ValueError) as error:
        raise UnsafeValue("not something to undo") from error
    if action := fields.get("action"):
        return act(connection, mailbox, uids, action, "", uidvalidity).count if action in _FLAGS else 0
    return len(imap.actions.move(connection, mailbox, uids, fields.get("to", ""), uidvalidity).uids)
