"""Undo of a night's archiving: a task that moves the messages back, batch by batch, for a week.

The rules that had moved them are switched off, or the next night would do it again. Each batch back is one like those of the
night (`batches`), so it too may be interrupted at any moment.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from webmail import imap, preferences
from webmail.account import Account
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.database.user_lock import user_lock
from webmail.errors import MailboxChangedError, MailError, NoSuchMailboxError, ServerAwayError, SignInRefusedError
from webmail.filters.archiving import archive_log, archive_rules, batches
from webmail.imap.connections.commands import expand_uid_set
from webmail.models import ArchiveBatch, ArchiveRun, BatchState, Task, User, now
from webmail.tasks import store
from webmail.tasks.kinds import TaskFailedError, TaskKind, TaskRun
from webmail.tasks.mail_account import account_of

log = logging.getLogger(__name__)

NAME = "mail-unarchive"


@dataclass(frozen=True, slots=True)
class BegunUndo:
    """`task`: None where there is nothing to bring back (any more). `off`: whether rules were switched off for it. `again`: a
    given rule that can't be turned off will move the same messages the next night.
    """

    task: Task | None = None
    off: bool = False
    again: bool = False


def begin(user: User, run: ArchiveRun, settings: Settings) -> BegunUndo:
    """Put the task in the queue and switch the rules off: both or, should this process be killed meanwhile, neither.

    Raises LimitReachedError. 1 transaction.
    """
    mine = (ArchiveRun.id == run.id) & (ArchiveRun.user == user)
    if not archive_log.reversible(run):
        return BegunUndo()
    with db.atomic():
        task = store.start(user, NAME, {"run": run.id}, task_id=store.id_of_form(user, f"{NAME} {run.id}"), total=_total(run))
        ArchiveRun.update(undone=now()).where(mine & ArchiveRun.undone.is_null()).execute()
        keys = {batch.rule for batch in ArchiveBatch.select(ArchiveBatch.rule).where(ArchiveBatch.run == run.id).distinct()}
        off = [key for key in sorted(keys) if key and archive_rules.switch(user, settings, key, False)]
    lasting = {f"given-{one.name}" for one in settings.archive if not one.optional}
    return BegunUndo(task, bool(off), not keys.isdisjoint(lasting))


def _total(run: ArchiveRun) -> int:
    return int(run.archived + run.tagged + run.trashed)


def _work(run: TaskRun) -> dict[str, Any]:
    night = archive_log.find(run.user, int(run.arguments["run"]))
    if night is None:
        return {"count": 0, "left": 0}
    try:
        account = account_of(run)
        with user_lock(run.user.id), imap.connect(account) as connection:
            batches.settle(connection, run.user)
        _bring_back(run, account, night)
    except SignInRefusedError as error:
        raise TaskFailedError("sign-in") from error
    told = ArchiveRun.get_by_id(night.id).returned
    return {"count": told, "left": max(_total(night) - told, 0)}


def _bring_back(run: TaskRun, account: Account, night: ArchiveRun) -> None:
    done = (ArchiveBatch.run == night.id) & (ArchiveBatch.state == BatchState.DONE)
    wanted = done & ArchiveBatch.action.in_(archive_log.REVERSIBLE)
    numbers = [batch.id for batch in ArchiveBatch.select(ArchiveBatch.id).where(wanted).order_by(ArchiveBatch.id.desc())]
    for number in numbers:
        with run.step(None, done=ArchiveRun.get_by_id(night.id).returned):
            pass  # the place to stop
        batch = ArchiveBatch.get_by_id(number)
        try:
            with user_lock(run.user.id):
                _one_back(account, night, batch)
        except (ServerAwayError, SignInRefusedError):
            raise
        except MailError as error:  # what it had moved is gone, or not ours to move: the others are brought back all the same
            log.info("batch %d stays where it is: %s", number, error)
        ArchiveBatch.update(state=BatchState.UNDONE).where(ArchiveBatch.id == number).execute()


def _one_back(account: Account, night: ArchiveRun, batch: ArchiveBatch) -> None:
    """A message that somebody has moved on or deleted meanwhile stays as it is."""
    tagged = batch.action == "tagged"
    place = (batch.mailbox, batch.uidvalidity) if tagged else (batch.target, batch.target_uidvalidity)
    key = b"KEYWORD " + imap.actions.keyword(batch.target) if tagged else b"ALL"  # so that a second try counts none twice
    uids = expand_uid_set(batch.uids if tagged else batch.target_uids)
    with imap.connect(account, place[0]) as connection:
        for piece in batches.pieces(uids):
            try:
                there = imap.actions.with_flag(connection, place[0], piece, key, place[1])
            except (NoSuchMailboxError, MailboxChangedError):
                return
            if tagged and there:
                imap.actions.set_flags(connection, place[0], there, [batch.target], False, place[1])
                ArchiveRun.update(returned=ArchiveRun.returned + len(there)).where(ArchiveRun.id == night.id).execute()
            elif there:
                preferences.sort_on_server(night.user, batch.mailbox)
                batches.move(connection, night, "returned", place, there, batch.mailbox)


KIND = TaskKind(NAME, _work, in_turn=True)
