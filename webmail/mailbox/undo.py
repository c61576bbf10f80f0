"""Undo for messages: the inverse steps of an action, stored in the database under a random name that the undo form holds."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from webmail import imap, preferences
from webmail.database import undo_store
from webmail.database.connection import db
from webmail.errors import MailError
from webmail.imap.connections.commands import expand_uid_set, uid_set
from webmail.imap.connections.connection import Connection
from webmail.mailbox.snooze import snooze_leases
from webmail.models import Snoozed, User

_MANY = 25  # messages that come back: as many as the shortest page, which sorts its own rows
_Key = tuple[str, str, int, str]  # (step, mailbox, UIDVALIDITY, flag or target mailbox)


class UndoSteps:
    """The steps that restore messages to their previous state. Steps that differ only in UIDs are merged."""

    def __init__(self) -> None:
        self._uids: dict[_Key, list[int]] = {}

    def __bool__(self) -> bool:
        return bool(self._uids)

    def flag(self, mailbox: str, uidvalidity: int, uids: Iterable[int], flag: str, add: bool) -> None:
        self._add("flag" if add else "unflag", mailbox, uidvalidity, uids, flag)

    def move(self, mailbox: str, uidvalidity: int, uids: Iterable[int], to: str) -> None:
        self._add("move", mailbox, uidvalidity, uids, to)

    def move_unjunked(self, mailbox: str, uidvalidity: int, uids: Iterable[int], to: str) -> None:
        """Move out of the junk folder without the $NotJunk that the server sets: undo is not a spam judgement."""
        self._add("unjunk", mailbox, uidvalidity, uids, to)

    def delete(self, mailbox: str, uidvalidity: int, uids: Iterable[int]) -> None:
        self._add("delete", mailbox, uidvalidity, uids, "")

    def unsnooze(self, mailbox: str, uidvalidity: int, uids: Iterable[int], to: str) -> None:
        self._add("unsnooze", mailbox, uidvalidity, uids, to)

    def _add(self, do: str, mailbox: str, uidvalidity: int, uids: Iterable[int], argument: str) -> None:
        if numbers := list(uids):  # empty if the server does not report the new UIDs (no UIDPLUS)
            self._uids.setdefault((do, mailbox, uidvalidity, argument), []).extend(numbers)

    def extend(self, others: UndoSteps) -> None:
        for (do, mailbox, uidvalidity, argument), uids in others._uids.items():
            self._add(do, mailbox, uidvalidity, uids, argument)

    def moved(self) -> list[tuple[str, int, list[int]]]:
        """Where messages that were moved are now: mailbox, UIDVALIDITY, UIDs."""
        steps = self._uids.items()
        return [(mailbox, validity, uids) for (do, mailbox, validity, _to), uids in steps if do in ("move", "unjunk")]

    def messages(self) -> int:
        """How many messages the steps restore; one that several steps concern counts once."""
        return len({(mailbox, validity, uid) for (_do, mailbox, validity, _to), uids in self._uids.items() for uid in uids})

    def dumps(self) -> str:
        return json.dumps([[*key, uid_set(uids).decode()] for key, uids in self._uids.items()], ensure_ascii=False)


def offer(user: User, steps: UndoSteps) -> str:
    """Store the steps for an hour; returns the name to undo them by. 1 transaction."""
    return undo_store.keep(user, steps.dumps())


@dataclass(frozen=True, slots=True)
class UndoResult:
    """How many messages were restored; `failed` is the first error that kept others from it."""

    count: int = 0
    failed: MailError | None = None


def undo(connection: Connection, user: User, name: str, *, beyond: bool = False) -> UndoResult:
    """Undo what `offer` stored for this user under this name; nothing if it expired or is not theirs. `beyond`: it was done to
    older messages than those of a list's first page, where the newest sequence numbers would bring them.

    A step that fails does not prevent the others, and undo can then be retried under the same name. Its error is raised if
    nothing was undone.
    """
    row = undo_store.take(user, name, "[")
    if row is None:
        return UndoResult()
    done: set[tuple[str, int]] = set()  # several steps may concern one message (its tags)
    failed, until = None, imap.actions.last_moment()
    for do, mailbox, *others in reversed(json.loads(row.steps)):
        back = 0
        try:
            for uids in _take_back(connection, user, until, do, mailbox, *others):
                done.update((mailbox, uid) for uid in uids)
                back += len(uids)
                if do in ("move", "unjunk") and (beyond or back > _MANY):
                    preferences.sort_on_server(user, others[1])
        except MailError as error:
            failed = failed or error
    if failed:
        undo_store.put_back(row)
        if not done:
            raise failed
    return UndoResult(len(done), failed)


def _take_back(
    connection: Connection, user: User, until: float, do: str, mailbox: str, uidvalidity: int, argument: str, uids: str
) -> Iterator[list[int]]:
    """Undo one step; the UIDs of the messages that were there, piece by piece."""
    for piece in imap.actions.paced(expand_uid_set(uids), until):
        if do == "unsnooze":
            yield _unsnooze(connection, user, mailbox, uidvalidity, argument, piece)
            continue
        there = imap.actions.with_flag(connection, mailbox, piece, b"ALL", uidvalidity)
        if not there:
            continue
        if do in ("flag", "unflag"):
            imap.actions.set_flags(connection, mailbox, there, [argument], do == "flag", uidvalidity)
        elif do == "delete":
            imap.actions.delete(connection, mailbox, there, uidvalidity)
        else:
            without = ["$NotJunk"] if do == "unjunk" else []
            imap.actions.move_back(connection, mailbox, there, argument, uidvalidity, without)
        yield there


def _unsnooze(connection: Connection, user: User, mailbox: str, uidvalidity: int, to: str, uids: Sequence[int]) -> list[int]:
    """Leases each row first, as waking does: messages that another worker is bringing back are skipped."""
    here = (Snoozed.user == user) & (Snoozed.folder == mailbox) & (Snoozed.uidvalidity == uidvalidity)
    rows = list(Snoozed.select().where(here, Snoozed.uid.in_(uids)))
    with db.atomic():
        mine = [row for row in rows if not row.target_uidnext and snooze_leases.lease(row)]
    others = {row.uid for row in rows} - {row.uid for row in mine}
    try:
        found = imap.actions.with_flag(connection, mailbox, uids, b"ALL", uidvalidity)
        there = [uid for uid in found if uid not in others]
        if there:
            imap.actions.move(connection, mailbox, there, to, uidvalidity)
    except MailError:
        snooze_leases.give_back(mine)
        raise
    Snoozed.delete().where(Snoozed.id.in_([row.id for row in mine])).execute()
    return there
