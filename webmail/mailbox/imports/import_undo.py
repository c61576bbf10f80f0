"""Undo of mail imports: what an import put into folders is deleted, and the folders it made, where they are empty.

A large one is a task. What was moved elsewhere since stays; a folder that was renamed since is found by its UIDVALIDITY.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from webmail import imap
from webmail.errors import (
    MailboxChangedError,
    NoSuchMailboxError,
    NotAllowedError,
    RefusedError,
    SignInRefusedError,
    UnconfirmedError,
)
from webmail.imap.bulk import bulk_fetch
from webmail.imap.connections.connection import Connection
from webmail.mailbox.imports import import_kinds
from webmail.mailbox.imports.import_folder import ImportedInto, unnoted
from webmail.mailbox.imports.mail_import import ImportState
from webmail.tasks import store
from webmail.tasks.kinds import TaskFailedError, TaskKind, TaskRun
from webmail.tasks.mail_account import account_of

NAME = import_kinds.UNDO
AT_ONCE = 500  # messages that are deleted while the person waits


def is_offered(cursor: dict[str, Any] | None) -> bool:
    """Whether an import put anything anywhere, or may have before it was killed."""
    return any(place["uids"] or place.get("pending") for place in (cursor or {}).get("into", {}).values())


def count(cursor: dict[str, Any] | None) -> int:
    return sum(len(place.added()) for place in ImportState.load(cursor).into.values())


def undo(connection: Connection, cursor: dict[str, Any] | None) -> Iterator[int]:
    """Delete what an import put into folders, and the folders it made that are empty now; says after each step how many messages
    it deleted. Again after it broke off: it goes on. About 3 round trips a mailbox. Raises MailError.
    """
    state = ImportState.load(cursor)
    for mailbox, place in state.into.items():
        with suppress(NoSuchMailboxError, MailboxChangedError):  # the folder is gone, and its messages with it
            yield from _undone_in(connection, mailbox, place)
    for name in reversed(state.made):
        _remove_empty(connection, name)


def _undone_in(connection: Connection, mailbox: str, into: ImportedInto) -> Iterator[int]:
    name = _now_called(connection, mailbox, into)
    connection.select(name, into.uidvalidity)
    uids = into.added()
    for piece in imap.actions.pieces([*uids, *unnoted(connection, name, into, uids)]):
        there = imap.actions.with_flag(connection, name, piece, b"ALL", into.uidvalidity)
        if there:
            _delete(connection, name, there, into.uidvalidity)
            yield len(there)


def _delete(connection: Connection, name: str, uids: list[int], uidvalidity: int) -> None:
    """Once more where the server hung up over it, as Dovecot may over a folder that was just renamed: twice does no harm."""
    try:
        imap.actions.delete(connection, name, uids, uidvalidity)
    except UnconfirmedError:
        connection.reopen()
        if left := imap.actions.with_flag(connection, name, uids, b"ALL", uidvalidity):
            imap.actions.delete(connection, name, left, uidvalidity)


def _now_called(connection: Connection, mailbox: str, into: ImportedInto) -> str:
    """The name of the folder that had this one. Raises NoSuchMailboxError."""
    try:
        connection.select(mailbox, into.uidvalidity)
    except (NoSuchMailboxError, MailboxChangedError) as error:
        own = [m.name for m in imap.mailboxes.count_all(connection).mailboxes if m.selectable and not m.owner]
        for name in own:
            if bulk_fetch.next_uid(connection, name)[0] == into.uidvalidity:
                return name
        raise NoSuchMailboxError(mailbox) from error
    return mailbox


def _remove_empty(connection: Connection, name: str) -> None:
    overview = imap.mailboxes.overview(connection)
    mailbox = overview.get(name)
    if mailbox is None or any(mailbox.holds(other.name) for other in overview.mailboxes):
        return
    try:
        imap.folders.refresh(connection)
        if not imap.folders.state(connection, name).messages:
            imap.folders.delete(connection, overview, mailbox)
    except (NoSuchMailboxError, NotAllowedError, RefusedError):
        return  # it stays, empty: nothing is lost


def _work(run: TaskRun) -> dict[str, Any]:
    try:
        task = store.find(run.user, run.arguments["task"])
    except store.NoSuchTaskError as error:
        raise TaskFailedError("gone") from error
    cursor, deleted = store.cursor_of(task), int((run.cursor or {}).get("deleted", 0))
    total = count(cursor)
    try:
        with imap.connect(account_of(run)) as connection:
            for more in undo(connection, cursor):
                deleted += more
                with run.step({"deleted": deleted}, done=min(deleted, total), total=total):
                    pass
    except SignInRefusedError as error:
        raise TaskFailedError("sign-in") from error
    store.note_undone(run.user, task.id)
    return {"count": deleted}


KIND = TaskKind(NAME, _work, in_turn=True)
