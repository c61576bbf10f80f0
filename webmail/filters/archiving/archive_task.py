"""Archive task: one person's rules, carried out in batches by a worker at night, or at once by an administrator's command.

Nothing has to be remembered of how far it is: what was done no longer matches. So whoever goes on after a kill settles what was
interrupted (`batches`), then searches anew. Memory is bounded by `ageing.WINDOW` messages, however many there are.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from webmail import imap, preferences
from webmail.account import Account
from webmail.config.settings import Settings
from webmail.database.user_lock import user_lock
from webmail.errors import (
    MailboxChangedError,
    MailError,
    NoSuchMailboxError,
    NotAllowedError,
    OverQuotaError,
    RefusedError,
    ServerAwayError,
    SignInRefusedError,
)
from webmail.filters.archiving import archive_log, archive_rules, batches
from webmail.filters.archiving.archive_rules import ArchiveAction, ArchivePlan, BadPlanError
from webmail.imap.bulk import ageing
from webmail.imap.bulk.ageing import AgeSearch, MessageMark
from webmail.imap.connections.connection import Connection
from webmail.imap.mailbox_list.mailboxes import Overview
from webmail.mail import Role
from webmail.mailbox import tags
from webmail.models import ArchiveRun, User
from webmail.tasks import store
from webmail.tasks.kinds import TaskFailedError, TaskKind, TaskRun
from webmail.tasks.mail_account import account_of

log = logging.getLogger(__name__)

NAME = "mail-archive"
IN_TRASH_FOR = timedelta(days=7)  # what came into the trash since then stays: undo may want it back
_LONGEST_TAGS = 40_000  # bytes of the keywords that a search names, each once; Dovecot takes lines of 64 KB

Targets = dict[str, tuple[tuple[str, ...], list[int]]]  # folder -> the folders around it, UIDs


class TooManyTagsError(RefusedError):
    """A folder has more different tags than a search can leave out: what has one can't be told from what has none."""


def search_of(plan: ArchivePlan, connection: Connection, today: date, settings: Settings) -> AgeSearch:
    """What a rule looks for in the selected folder. Messages that have the rule's tag already are not found, nor those that came
    into the trash lately. 0 round trips mostly. Raises TooManyTagsError.
    """
    without = [plan.keyword] if plan.action is ArchiveAction.TAG else []
    if plan.keep_tagged:
        words = [word for word in sorted(connection.flags) if not word.startswith("\\") and not tags.is_system(word)]
        without += [word for word in words if word not in without]
        if sum(len(f" UNKEYWORD {word}") for word in without) > _LONGEST_TAGS:
            raise TooManyTagsError(f"{len(without)} tags in {plan.mailbox}")
    trash = plan.action is ArchiveAction.DELETE and plan.mailbox == imap.mailboxes.for_role(connection, Role.TRASH)
    return AgeSearch(
        archive_rules.cutoff(plan, today, settings.school_year_begins), plan.keep_unread, plan.keep_flagged, tuple(without),
        today - IN_TRASH_FOR - timedelta(days=1) if trash else None,  # a day more: the server's may begin at another hour
    )  # fmt: skip


def today_of(user: User, settings: Settings) -> date:
    """The day it is for this person."""
    return datetime.now(ZoneInfo(preferences.for_user(user).time_zone or settings.timezone)).date()


@dataclass
class ArchiveTurn:
    """One person's turn. `step` is called before each batch with the messages done so far; it may raise to end the turn."""

    user: User
    account: Account
    settings: Settings
    night: str
    step: Callable[[int], None] = lambda _done: None
    count: int = 0
    troubles: list[tuple[str, str]] = field(default_factory=list)

    @cached_property
    def run(self) -> ArchiveRun:
        """Made with the first messages: most nights have nothing to do."""
        return archive_log.begin(self.user, self.night)

    def take(self) -> ArchiveRun | None:
        """All rules in force; what was done, None where that is nothing. Raises ServerAwayError, SignInRefusedError and what
        `step` does; what was done before is told.
        """
        try:
            with user_lock(self.user.id), imap.connect(self.account) as connection:
                batches.settle(connection, self.user)
            with imap.connect(self.account) as connection:
                found = imap.mailboxes.overview(connection)
            for plan in archive_rules.in_force(self.user, self.settings, found):
                self._carry_out(plan, found)
        except BaseException:
            if "run" in self.__dict__:
                archive_log.tell(self.run)
            raise
        return archive_log.end(self.run, self.troubles) if "run" in self.__dict__ or self.troubles else None

    def _carry_out(self, plan: ArchivePlan, found: Overview) -> None:
        """One rule. What the mail server refuses ends it, is noted, and disturbs no other rule."""
        try:
            archive_rules.check(plan, found)
            for source, uids, key in self._pieces(plan):
                self._do(plan, found, source, uids, key)
        except (SignInRefusedError, ServerAwayError):
            raise
        except BadPlanError as error:
            self.troubles.append(("gone" if error.what == "mailbox" else "rule", plan.mailbox))
        except MailError as error:
            log.warning("a rule of %s ends early in %s: %s", self.user.address, plan.mailbox, error)
            self.troubles.append((_error_code(error), plan.mailbox))

    def _pieces(self, plan: ArchivePlan) -> Iterator[tuple[tuple[str, int], list[int], bytes]]:
        """What matches, window by window, from the folder's end on."""
        with imap.connect(self.account, plan.mailbox) as connection:
            connection.select(plan.mailbox)
            source, exists = (plan.mailbox, connection.uidvalidity), connection.exists
            key = search_of(plan, connection, today_of(self.user, self.settings), self.settings).key(connection)
        for first, last in ageing.windows(exists, newest_first=True):
            with imap.connect(self.account, plan.mailbox) as connection:
                connection.select(*source)
                there = min(last, connection.exists)
                uids = ageing.found(connection, first, there, key) if first <= there else []
            if uids:
                yield source, uids, key

    def _do(self, plan: ArchivePlan, found: Overview, source: tuple[str, int], uids: list[int], key: bytes) -> None:
        if plan.action is ArchiveAction.ARCHIVE:
            with imap.connect(self.account, plan.mailbox) as connection:
                connection.select(*source)
                marks = {k: v for piece in imap.actions.pieces(uids) for k, v in ageing.marks(connection, piece).items()}
                targets = targets_of(plan, connection, marks)
            for target, (parents, those) in targets.items():
                if target != plan.mailbox:
                    self._move(plan, "archived", source, those, target, key, marks, parents)
            return
        mailbox = found.get(plan.mailbox)
        if plan.action is ArchiveAction.DELETE and mailbox and mailbox.role is Role.JUNK:
            with imap.connect(self.account) as connection:
                trash = imap.mailboxes.for_role(connection, Role.TRASH)
            self._move(plan, "trashed", source, uids, trash, key)
            return
        if plan.action is ArchiveAction.DELETE:  # where the server does not know since when they are there
            uids = sorted(set(uids) - archive_log.trashed_lately(self.user, source))
        for piece in batches.pieces(uids):
            with self._batch(source, piece, key) as (connection, left):
                if plan.action is ArchiveAction.TAG:
                    self.count += batches.tag(connection, self.run, source, left, plan.keyword, rule=plan.key) if left else 0
                else:
                    self.count += batches.delete(connection, self.run, source, left, rule=plan.key) if left else 0

    def _move(
        self, plan: ArchivePlan, action: str, source: tuple[str, int], uids: list[int], target: str, key: bytes,
        marks: dict[int, MessageMark] | None = None, parents: tuple[str, ...] = (),
    ) -> None:  # fmt: skip
        for piece in batches.pieces(uids):
            with self._batch(source, piece, key) as (connection, left):
                if left:
                    kept = {uid: marks[uid] for uid in left} if marks else None
                    self.count += batches.move(
                        connection, self.run, action, source, left, target, rule=plan.key, marks=kept, parents=parents
                    )

    @contextmanager
    def _batch(self, source: tuple[str, int], uids: list[int], key: bytes) -> Iterator[tuple[Connection, list[int]]]:
        """The person's lock and a connection, and which of the messages still match: somebody may have flagged one meanwhile."""
        self.step(self.count)
        with user_lock(self.user.id), imap.connect(self.account, source[0]) as connection:
            yield connection, imap.actions.with_flag(connection, source[0], uids, key, source[1])


def targets_of(plan: ArchivePlan, connection: Connection, marks: dict[int, MessageMark]) -> Targets:
    """The folders of the archive where these go, by the day that they were received."""
    archive = imap.mailboxes.for_role(connection, Role.ARCHIVE)
    found = imap.mailboxes.overview(connection).get(archive)
    delimiter = (found.delimiter if found else "") or "/"
    targets: Targets = {}
    for uid, mark in marks.items():
        year = f"{mark.received.year:04d}"
        parts = [archive, year] + ([f"{mark.received.month:02d}"] if plan.split == "month" else [])
        parents = (delimiter.join(parts[:2]),) if plan.split == "month" else ()
        targets.setdefault(delimiter.join(parts), (parents, []))[1].append(uid)
    return targets


def _error_code(error: MailError) -> str:
    """Why a rule ended early, for the log to explain."""
    for kind, word in (
        (OverQuotaError, "over-quota"),
        (TooManyTagsError, "tags"),
        (NotAllowedError, "not-allowed"),
        (batches.NeedsUidplusError, "server"),
    ):
        if isinstance(error, kind):
            return word
    return "gone" if isinstance(error, NoSuchMailboxError | MailboxChangedError) else "refused"


# --- by a worker -----------------------------------------------------------------------------------------------------


def _work(run: TaskRun) -> dict[str, Any]:
    def step(done: int) -> None:
        with run.step(None, done=done):
            pass  # the place to stop: what comes next lies outside the database

    try:
        told = ArchiveTurn(run.user, account_of(run), run.settings, str(run.arguments["night"]), step).take()
    except SignInRefusedError as error:
        raise TaskFailedError("sign-in") from error
    for before in store.other_results(run.task):  # the log has them
        before.delete_instance()
    return {"count": archive_log.messages(told) if told else 0}


KIND = TaskKind(NAME, _work, in_turn=True)
