"""Endings of accounts, by the worker: disabled on their day, told a week before; deleted for good when nobody restored them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta

from webmail.admin import account_deletion
from webmail.admin.people import changes
from webmail.admin.people.changes import Act, Step
from webmail.admin.people.record import WORKER
from webmail.auth import account_management
from webmail.config.settings import Settings
from webmail.models import AuditAct, SystemMessage, User, now

log = logging.getLogger(__name__)

TOLD_BEFORE = timedelta(days=7)
_MOST = 50  # in one round: others wait meanwhile

Tell = Callable[[User, Settings], list[SystemMessage]]


def close_ended(settings: Settings) -> int:
    """Disable whose day has come; returns how many. The last administrator stays."""
    over = [User.active == 1, User.ends_on.is_null(False), User.ends_on <= now()]
    found = account_management.listed(over, (User.ends_on,), 10 * _MOST)
    outcome = changes.apply(found, Step(Act.DISABLE), WORKER, settings) if found else None
    for user, refusal in outcome.refused if outcome else ():
        log.error("%s ends, but stays: %s", user.address, refusal)
    return len(outcome.changed) if outcome else 0


def warn(settings: Settings, tell: Tell) -> list[int]:
    """Write to those whose account ends soon, once each; returns which messages are due."""
    soon = [User.active == 1, User.ends_told.is_null(), User.ends_on > now(), User.ends_on <= now() + TOLD_BEFORE]
    sent: list[int] = []
    for user in account_management.listed(soon, (User.ends_on,), _MOST):
        account_management.change(user, None, ends_told=now())
        sent += [message.id for message in tell(user, settings)]
    return sent


def delete_due(settings: Settings) -> int:
    """Delete for good those whose days are over, each in a transaction of its own; returns how many."""
    over = [User.removal_due.is_null(False), User.removal_due <= now(), User.active == 0]
    found = account_management.listed(over, (User.removal_due,), _MOST)
    for user in found:
        done = account_deletion.delete(user, settings)
        WORKER.note(AuditAct.ACCOUNT_DELETED, user.address, sessions=done.sessions)
    return len(found)
