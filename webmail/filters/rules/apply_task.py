"""Apply task: a worker does to mail already there what a rule does to mail that arrives, batch by batch, so that it can go on.

Which messages it touches is told by `matching.py`, as the page that tries a rule out does: "now" is when a message arrived, and
each is found again for undo, which Dovecot's own FILTER can't do. Nothing is forwarded, answered, refused or snoozed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from webmail import imap
from webmail.account import Account
from webmail.database.user_lock import user_lock
from webmail.errors import (
    MailboxChangedError,
    NoSuchMailboxError,
    NotAllowedError,
    OverQuotaError,
    RefusedError,
    SignInRefusedError,
)
from webmail.filters.rules import matching, rules
from webmail.filters.rules.apply_steps import DOES, ApplyPlan, Intent, carry_out, intended, merged
from webmail.filters.rules.compiler import SievePlace
from webmail.filters.rules.matching import CannotTellError
from webmail.filters.rules.rules import FilterRule
from webmail.filters.rules.script_context import place_to_try
from webmail.imap.connections.connection import Connection
from webmail.imap.connections.responses import numbers_of
from webmail.imap.mailbox_list.mailboxes import for_role
from webmail.mail import Role
from webmail.mailbox.undo import UndoSteps
from webmail.tasks.kinds import TaskFailedError, TaskKind, TaskRun
from webmail.tasks.mail_account import account_of

NAME = "filter-apply"
BATCH = 200  # messages
_REFUSED = (NoSuchMailboxError, MailboxChangedError, OverQuotaError, NotAllowedError, RefusedError)


@dataclass(slots=True)
class ApplyState:
    """How far the task is, kept in its cursor. `at`: all messages up to this UID are done, of those up to `last`.

    `steps`: what undoes it (`apply_steps.merged`). `intent`: what the batch under way was about to do.
    """

    at: int = 0
    last: int = 0
    uidvalidity: int = 0
    looked: int = 0
    total: int = 0
    touched: int = 0
    unread: int = 0  # messages whose texts are too large to look at
    steps: list[list[Any]] = field(default_factory=list)
    intent: Intent | None = None

    @classmethod
    def load(cls, cursor: dict[str, Any] | None) -> ApplyState:
        values = dict(cursor or {})
        values["intent"] = Intent(**values["intent"]) if values.get("intent") else None
        return cls(**values)


def can_apply(rule: FilterRule) -> bool:
    """Whether it does anything to mail already there, and can be judged without the server's filter."""
    return matching.can_tell(rule) and any(action.kind in DOES for action in rule.actions)


@dataclass(slots=True)
class _Step:
    run: TaskRun
    account: Account
    rule: FilterRule
    mailbox: str
    place: SievePlace
    plan: ApplyPlan
    junk: str
    state: ApplyState

    def take(self) -> None:
        if self.state.intent is not None:  # of a turn that ended in the middle of a batch
            self._finish(again=True)
        left = self._left()
        for at in range(0, len(left), BATCH):
            with self.run.step(asdict(self.state), done=self.state.looked, total=self.state.total):
                pass  # the place to stop: what comes next lies outside the database
            self._batch(left[at : at + BATCH])

    def _left(self) -> list[int]:
        """The messages that are still to be looked at, by UID; those that arrive meanwhile are the server's."""
        state = self.state
        with imap.connect(self.account, self.mailbox) as connection:
            connection.select(self.mailbox, state.uidvalidity or None)
            among = b"%d:%s" % (state.at + 1, b"%d" % state.last if state.last else b"*")
            found = numbers_of(connection.run((b"UID SEARCH", b"UID", among)).get("SEARCH", []))
            uids = sorted(uid for uid in found if uid > state.at)
            if not state.last:
                state.uidvalidity, state.total, state.last = connection.uidvalidity, len(uids), max(uids, default=0)
        return uids

    def _batch(self, uids: Sequence[int]) -> None:
        state = self.state
        with imap.connect(self.account, self.mailbox) as connection:
            connection.select(self.mailbox, state.uidvalidity)
            touched = self._touched(connection, uids)
            if touched:
                state.intent = intended(connection, self.mailbox, state.uidvalidity, touched, self.plan)
        state.at, state.looked = uids[-1], state.looked + len(uids)
        self.run.record(asdict(state), done=state.looked)
        if touched:
            self._finish(again=False)

    def _finish(self, *, again: bool) -> None:
        """Do what is intended. Where that is refused, what was done until then can still be undone."""
        state, steps = self.state, UndoSteps()
        if state.intent is None:
            return
        try:
            with user_lock(self.run.user.id), imap.connect(self.account, self.mailbox) as connection:
                count = carry_out(
                    connection, self.mailbox, state.uidvalidity, state.intent, self.plan, steps, junk=self.junk, again=again
                )
        except _REFUSED:
            for flag, those in state.intent.lacking.items():
                steps.flag(self.mailbox, state.uidvalidity, those, flag, False)
            self._note(steps, 0)
            raise
        self._note(steps, count)

    def _note(self, steps: UndoSteps, count: int) -> None:
        state = self.state
        state.steps, state.touched, state.intent = merged(state.steps, steps), state.touched + count, None
        self.run.record(asdict(state), done=state.looked)

    def _touched(self, connection: Connection, uids: Sequence[int]) -> list[int]:
        """Fewer at a time where their texts are too large to be looked at together."""
        tried = matching.try_messages(connection, uids, self.rule, self.place)
        if tried.unread and len(uids) > 1:
            middle = len(uids) // 2
            return self._touched(connection, uids[:middle]) + self._touched(connection, uids[middle:])
        self.state.unread += tried.unread
        return [one.message.uid for one in tried.touched]


def _work(run: TaskRun) -> dict[str, Any]:
    given, state = run.arguments, ApplyState.load(run.cursor)
    rule, mailbox = rules.from_json(given["rule"]), given["mailbox"]
    try:
        account = account_of(run)
        with imap.connect(account) as connection:
            trash, junk = for_role(connection, Role.TRASH), for_role(connection, Role.JUNK)
        place = place_to_try(run.user, run.settings)
        _Step(run, account, rule, mailbox, place, ApplyPlan.for_rule(rule, mailbox, trash), junk, state).take()
    except SignInRefusedError as error:
        raise TaskFailedError("sign-in") from error
    except CannotTellError as error:
        raise TaskFailedError("unknown") from error
    except (NoSuchMailboxError, MailboxChangedError) as error:
        raise TaskFailedError("folder-gone") from error
    except OverQuotaError as error:
        raise TaskFailedError("over-quota") from error
    except (NotAllowedError, RefusedError) as error:
        raise TaskFailedError("not-allowed") from error
    return {"count": state.touched, "looked": state.looked, "unread": state.unread, "mailbox": mailbox}


KIND = TaskKind(NAME, _work, in_turn=True)
