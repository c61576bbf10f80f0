"""Changes: what administrators do to one account or to many, in one transaction, with what can be undone.

Pages, commands, the import of a file and the worker all change accounts here: the last administrator stays one, what a directory
gives stays the directory's, each change is in the audit log, and the mail server hears of what can't wait.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from webmail.admin.people import sizes
from webmail.admin.people.record import ChangedBy
from webmail.auth import account_management
from webmail.auth.providers.directory import decide_by_hand
from webmail.auth.sessions.endings import end_everything_else
from webmail.config.settings import Settings
from webmail.database import undo_store
from webmail.database.again import begun_again
from webmail.database.connection import db
from webmail.database.locks import serialize
from webmail.filters.forwarding import forward_targets
from webmail.mailbox.quota import quota_request
from webmail.models import AuditAct, User, now

_OPENING = '{"accounts":'


class ChangeRefusal(StrEnum):
    """Why an account was not changed."""

    LAST = "last"  # nobody would be left who administers all
    ONESELF = "oneself"  # who locks themself out can't come back
    DIRECTORY = "directory"  # it says so, and would say so again
    MAIL_SERVER = "mail server"  # which keeps the accounts here
    REMOVED = "removed"  # it has to be restored first


class Act(StrEnum):
    """What is done."""

    DISABLE = "disable"
    ENABLE = "enable"
    QUOTA = "quota"  # `value`: bytes
    END = "end"  # `value`: when, or None for never
    REMOVE = "remove"  # deleted for good after the days of `deletion_days`
    RESTORE = "restore"
    FACTOR = "factor"  # a second factor is required
    NO_FACTOR = "no-factor"


@dataclass(frozen=True, slots=True)
class Step:
    """An act, with what it needs to know."""

    act: Act
    value: Any = None


@dataclass(slots=True)
class ChangeOutcome:
    """Whom it was done to, whom not and why, and the name of what takes it back ("": nothing does)."""

    changed: list[User] = field(default_factory=list)
    refused: list[tuple[User, ChangeRefusal]] = field(default_factory=list)
    undo: str = ""


def apply(users: Sequence[User], step: Step, by: ChangedBy, settings: Settings) -> ChangeOutcome:
    """Do it to all of these, in one transaction; who is so already is left alone. Those who lose the way in are signed out.

    About 3 statements a person, and 1 for all.
    """
    outcome = _applied(users, step, by, settings)
    _take_effect(outcome.changed, step.act, settings)
    return outcome


@begun_again
def _applied(users: Sequence[User], step: Step, by: ChangedBy, settings: Settings) -> ChangeOutcome:
    outcome, steps = ChangeOutcome(), []
    with db.atomic():
        serialize("administrators")
        guard = _Guard(by, settings)
        groups: dict[str, tuple[dict[str, Any], list[User]]] = {}
        for user in users:
            values = _values(user, step, settings)
            if all(getattr(user, name) == value for name, value in values.items()):
                continue
            if refusal := guard.why_not(user, step):
                outcome.refused.append((user, refusal))
                continue
            before = {name: _json(getattr(user, name)) for name in values}
            after = {name: _json(value) for name, value in values.items()}
            steps.append([user.id, before, after])
            groups.setdefault(json.dumps(after), (values, []))[1].append(user)
            _note(user, step, values, by)
        for values, members in groups.values():
            account_management.change_many([user.id for user in members], **values)
            for user in members:
                for name, value in values.items():
                    setattr(user, name, value)
                if "active" in values:
                    decide_by_hand(user)
                if step.act is Act.QUOTA:
                    quota_request.close(user, step.value)
                outcome.changed.append(user)
        if steps and by.actor is not None:
            outcome.undo = undo_store.keep(by.actor, _OPENING + json.dumps(steps) + "}")
    return outcome


def undo(name: str, by: ChangedBy, condition: Any, settings: Settings) -> tuple[int, int]:
    """Put back what `apply` changed, where nobody has changed it since; how many, and of how many. (0, 0): too late.

    `condition`: the scope of who undoes it.
    """
    assert by.actor is not None
    with db.atomic():
        serialize("administrators")
        row = undo_store.take(by.actor, name, _OPENING)
        if row is None:
            return 0, 0
        steps = json.loads(row.steps)["accounts"]
        there = {user.id: user for user in account_management.of_numbers([number for number, *_more in steps], condition)}
        back: list[User] = []
        closed: list[User] = []
        for number, before, after in steps:
            user = there.get(number)
            if user is None or any(_json(getattr(user, name)) != value for name, value in after.items()):
                continue
            values = {name: _value(name, value) for name, value in before.items()}
            if (values.get("active") == 0 or values.get("ends_on")) and account_management.is_last_administrator(user):
                continue
            account_management.change(user, None, **values)
            by.note(_undone(after), user.address, undo=1)
            back.append(user)
            if values.get("active") == 0:
                closed.append(user)
    forward_targets.note_closed()
    for user in closed:
        end_everything_else(user, settings)
    return len(back), len(steps)


class _Guard:
    """What stands against a change: looked up once for all."""

    def __init__(self, by: ChangedBy, settings: Settings) -> None:
        self._by, self._settings = by, settings
        self._administrators = account_management.active_administrators()

    def why_not(self, user: User, step: Step) -> ChangeRefusal | None:
        """Who is let through counts from then on as no administrator any more, so that of the last two one stays."""
        if step.act is Act.QUOTA and self._settings.sign_in != "accounts":
            return ChangeRefusal.MAIL_SERVER
        if step.act is Act.QUOTA and gives_quota(user, self._settings):
            return ChangeRefusal.DIRECTORY
        if step.act in (Act.ENABLE, Act.DISABLE, Act.END) and user.removal_due is not None:
            return ChangeRefusal.REMOVED
        if not closes(step):
            return None
        if self._by.is_oneself(user):
            return ChangeRefusal.ONESELF
        if user.id in self._administrators:
            if self._administrators == {user.id}:
                return ChangeRefusal.LAST
            self._administrators.discard(user.id)
        return None


def gives_quota(user: User, settings: Settings) -> bool:
    """Whether the directory says how much room somebody has."""
    return user.provider == "ldap" and settings.ldap is not None and bool(settings.ldap.quota_attribute)


def gives_name(user: User) -> bool:
    """Whether whoever made the account, at its first sign-in, says what it is called."""
    return bool(user.provider)


def closes(step: Step) -> bool:
    """Whether somebody loses the way in, now or on a day."""
    return step.act in (Act.DISABLE, Act.REMOVE) or (step.act is Act.END and step.value is not None)


def _values(user: User, step: Step, settings: Settings) -> dict[str, Any]:
    """What the account's row holds afterwards."""
    match step.act:
        case Act.DISABLE:
            return {"active": 0}
        case Act.ENABLE:
            return {"active": 1, **({"ends_on": None} if user.ends_on and user.ends_on <= now() else {})}
        case Act.QUOTA:
            return {"quota_bytes": int(step.value)}
        case Act.END:
            return {"ends_on": step.value, "ends_told": None}
        case Act.REMOVE:
            due = user.removal_due or (now() + timedelta(days=settings.deletion_days)).replace(microsecond=0)
            return {"active": 0, "removal_due": due}
        case Act.RESTORE:
            return {"active": 1, "removal_due": None} if user.removal_due else {}
        case Act.FACTOR:
            return {"factor_asked": user.factor_asked or now().replace(microsecond=0)}
        case Act.NO_FACTOR:
            return {"factor_asked": None}


def _note(user: User, step: Step, values: dict[str, Any], by: ChangedBy) -> None:
    match step.act:
        case Act.DISABLE:
            by.note(AuditAct.ACCOUNT_DISABLED, user.address)
        case Act.ENABLE:
            by.note(AuditAct.ACCOUNT_ENABLED, user.address)
        case Act.QUOTA:
            by.note(
                AuditAct.ACCOUNT_QUOTA_SET, user.address, before=_quota_words(user.quota_bytes), room=_quota_words(step.value)
            )
        case Act.END:
            by.note(AuditAct.ACCOUNT_END_SET, user.address, until=step.value.date().isoformat() if step.value else "never")
        case Act.REMOVE:
            by.note(AuditAct.ACCOUNT_REMOVED, user.address, until=values["removal_due"].date().isoformat())
        case Act.RESTORE:
            by.note(AuditAct.ACCOUNT_RESTORED, user.address)
        case Act.FACTOR | Act.NO_FACTOR:
            by.note(AuditAct.FACTOR_REQUIRED, user.address, change="on" if step.act is Act.FACTOR else "off")


def _undone(after: dict[str, Any]) -> AuditAct:
    """What is written of something that was taken back."""
    if "removal_due" in after:
        return AuditAct.ACCOUNT_RESTORED if after["removal_due"] else AuditAct.ACCOUNT_REMOVED
    if "active" in after:
        return AuditAct.ACCOUNT_DISABLED if after["active"] else AuditAct.ACCOUNT_ENABLED
    if "quota_bytes" in after:
        return AuditAct.ACCOUNT_QUOTA_SET
    return AuditAct.ACCOUNT_END_SET if "ends_on" in after else AuditAct.FACTOR_REQUIRED


def _take_effect(users: Sequence[User], act: Act, settings: Settings) -> None:
    """Once it is committed. The mail server is told in a thread: nobody waits for it."""
    if act in (Act.DISABLE, Act.ENABLE, Act.REMOVE, Act.RESTORE) and users:
        forward_targets.note_closed()
    if act in (Act.DISABLE, Act.REMOVE):
        for user in users:
            end_everything_else(user, settings)


def _quota_words(size: int) -> str:
    return sizes.as_typed(size) or "no limit"


def _json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _value(name: str, value: Any) -> Any:
    dates = ("ends_on", "ends_told", "removal_due", "factor_asked")
    return datetime.fromisoformat(value) if name in dates and value else value
