"""Folder management: rename, delete, subscribe and empty mailboxes; their sizes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from imapclient import imap_utf7

from webmail.errors import NoSuchMailboxError, NotAllowedError, RefusedError
from webmail.imap.connections.commands import mailbox_name
from webmail.imap.connections.connection import Command, Connection
from webmail.imap.connections.responses import parsed, word
from webmail.imap.mailbox_list.mailboxes import Overview, forget
from webmail.mail import Mailbox


@dataclass(frozen=True, slots=True)
class FolderStatus:
    """The STATUS of a mailbox. `size` is in bytes, None if the server does not support it (RFC 8438)."""

    messages: int
    unseen: int
    uidnext: int
    uidvalidity: int
    size: int | None = None


def state(connection: Connection, mailbox: str) -> FolderStatus:
    """Counts, size and UIDs: 1 round trip. Raises NoSuchMailboxError, NotAllowedError."""
    size = b" SIZE" if connection.has("STATUS=SIZE") else b""
    answers = connection.run((b"STATUS", mailbox_name(mailbox), b"(MESSAGES UNSEEN UIDNEXT UIDVALIDITY" + size + b")"))
    for answer in parsed(answers.get("STATUS", [])):
        told = dict(zip(answer[1][::2], answer[1][1::2], strict=False))
        messages, unseen, uidnext, uidvalidity = (
            int(told.get(name, 0)) for name in (b"MESSAGES", b"UNSEEN", b"UIDNEXT", b"UIDVALIDITY")
        )
        return FolderStatus(messages, unseen, uidnext, uidvalidity, told.get(b"SIZE"))
    raise NoSuchMailboxError(mailbox)


def refresh(connection: Connection) -> None:
    """NOOP before STATUS, since servers report a stale status of the selected mailbox. 1 round trip, 0 if none is selected."""
    if connection.mailbox:
        connection.run((b"NOOP",))


def sizes(connection: Connection, mailboxes: Iterable[Mailbox]) -> dict[str, int]:
    """Sizes in bytes by name (STATUS=SIZE, RFC 8438): 1 round trip; empty, without a round trip, if not supported.

    A mailbox deleted meanwhile is left out with LIST-STATUS; without it, the result is empty.
    """
    if not connection.has("STATUS=SIZE"):
        return {}
    commands: list[Command] = [(b"LIST", b'""', b'"*"', b"RETURN (STATUS (SIZE))")]
    if not connection.has("LIST-STATUS"):
        commands = [(b"STATUS", mailbox_name(m.name), b"(SIZE)") for m in mailboxes if m.selectable]
    try:
        answers = connection.run(*commands)
    except (RefusedError, NoSuchMailboxError, NotAllowedError):
        return {}
    told = [answer for answer in parsed(answers.get("STATUS", [])) if len(answer) > 1]
    return {imap_utf7.decode(word(name)): items[1] for name, items, *_ in told if items[:1] == (b"SIZE",)}


def rename(connection: Connection, found: Overview, mailbox: Mailbox, to: str) -> None:
    """Rename a mailbox and those inside it: 2 round trips, 1 more if one is selected.

    Subscriptions are renamed too, which servers do not do. Raises RefusedError if the name is taken, NoSuchMailboxError,
    NotAllowedError.
    """
    _leave(connection)
    connection.run((b"RENAME", mailbox_name(mailbox.name), mailbox_name(to)))
    forget(connection.account, sizes=False)
    following = [m.name for m in _with_inside(found, mailbox) if m.subscribed]
    new = [(b"SUBSCRIBE", mailbox_name(to + name.removeprefix(mailbox.name))) for name in following]
    _try_all(connection, [*new, *((b"UNSUBSCRIBE", mailbox_name(name)) for name in following)])


def delete(connection: Connection, found: Overview, mailbox: Mailbox) -> None:
    """Permanently delete a mailbox and those inside it, with their messages: 1 round trip for each, innermost first.

    Raises NoSuchMailboxError, NotAllowedError, RefusedError.
    """
    _leave(connection)
    forget(connection.account)
    doomed = sorted(_with_inside(found, mailbox), key=lambda m: len(m.name), reverse=True)
    for m in doomed:
        try:
            connection.run((b"DELETE", mailbox_name(m.name)))
        except NoSuchMailboxError:
            if m.selectable:  # a \Noselect parent vanishes with its last child
                raise
    _try_all(connection, [(b"UNSUBSCRIBE", mailbox_name(m.name)) for m in doomed if m.subscribed])


def subscribe(connection: Connection, mailbox: str, wanted: bool) -> None:
    """Subscribe or unsubscribe: 1 round trip."""
    connection.run((b"SUBSCRIBE" if wanted else b"UNSUBSCRIBE", mailbox_name(mailbox)))
    forget(connection.account, sizes=False)


def empty(connection: Connection, mailbox: str, last: int, uidvalidity: int) -> None:
    """Permanently delete all messages up to the UID `last`: 2 round trips after the SELECT, whatever their number.

    Messages that arrived later are kept. Raises MailboxChangedError, NotAllowedError.
    """
    connection.select(mailbox, uidvalidity)
    if connection.read_only or not connection.keeps("\\Deleted"):
        raise NotAllowedError(f"messages of {mailbox} may not be deleted")
    forget(connection.account)
    if not connection.exists or last < 1:
        return
    connection.run((b"UID STORE", b"1:%d" % last, b"+FLAGS.SILENT", b"(\\Deleted)"))
    connection.run((b"UID EXPUNGE", b"1:%d" % last) if connection.has("UIDPLUS") else (b"EXPUNGE",))


def _with_inside(found: Overview, mailbox: Mailbox) -> list[Mailbox]:
    return [m for m in found.mailboxes if m.name == mailbox.name or mailbox.holds(m.name)]


def _leave(connection: Connection) -> None:
    """Unselect the mailbox: Dovecot ends a session whose selected mailbox is deleted, even if it refuses the deletion."""
    if not connection.mailbox:
        return
    if connection.has("UNSELECT"):
        connection.run((b"UNSELECT",))
        connection.mailbox = ""
    else:
        connection.select("INBOX")


def _try_all(connection: Connection, commands: list[Command]) -> None:
    """Run commands for subscriptions, best effort: a refused one does not fail the operation."""
    if not commands:
        return
    try:
        connection.run(*commands)
    except (NoSuchMailboxError, NotAllowedError, RefusedError):
        forget(connection.account)
