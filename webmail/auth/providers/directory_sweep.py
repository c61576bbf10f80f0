"""Sweep of who left: accounts of people whom the directory no longer has, or no longer lets in, are disabled. No Flask here.

A sign-in asks the directory anyway; this ends what is open, app passwords among it. Nothing is done where the answer is not
whole, and where it would be many at once an administrator decides: a directory that was emptied must not lock a school out.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import peewee as pw

from webmail import audit
from webmail.auth import account_management
from webmail.auth.providers import directory
from webmail.auth.sessions.endings import end_everything
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.models import AuditAct, LinkedAccount, User, now

log = logging.getLogger(__name__)

EVERY = timedelta(hours=1)
_MANY = 5  # one part of so many: more than that is not believed


@dataclass(frozen=True, slots=True)
class Leavers:
    """What the directory's answer means. `known`: of how many accounts it was asked; `people`: how many it has."""

    people: int
    known: int
    gone: Sequence[User]
    back: Sequence[User]

    @property
    def doubtful(self) -> bool:
        """Whether so many would be disabled that an administrator has to say so."""
        return bool(self.gone) and (not self.people or (len(self.gone) > 1 and len(self.gone) * _MANY > self.known))


def look(settings: Settings) -> Leavers:
    """Ask the directory for all its people, and compare. Changes nothing. Raises ServerAwayError and TooBusyError, where the
    answer was not whole; one SELECT.
    """
    began = now()
    with directory.asking(settings) as talk:
        there = set(talk.everybody())
    rows = list(LinkedAccount.select(LinkedAccount, User).join(User).where(LinkedAccount.provider == directory.PROVIDER))
    # who has a password of ours is not the directory's; who came in meanwhile may not have been in its first pages yet
    asked = [row for row in rows if row.user.active and not row.user.password and row.used < began]
    gone = [row.user for row in asked if row.subject not in there]
    back = [row.user for row in rows if row.left is not None and not row.user.active and row.subject in there]
    return Leavers(len(there), len(asked), gone, back)


def carry_out(found: Leavers, settings: Settings, by: str = directory.PROVIDER, *, sure: bool = False) -> tuple[int, int]:
    """Disable who is gone, end all that they have open, and enable who is back; returns how many of each.

    Nobody is disabled where the answer is doubtful, unless an administrator is `sure`. Waits for Dovecot, for each.
    """
    left = 0
    for user in found.gone if sure or not found.doubtful else ():
        left += _disable(user, settings, by)
    return left, sum(directory.come_back(user) for user in found.back)


def _disable(user: User, settings: Settings, by: str) -> bool:
    """One conditional UPDATE decides, so that nobody is disabled whom somebody else has decided about meanwhile. Why is noted
    with it: who is disabled without that never comes back by themselves. The last administrator
    stays, whatever the directory says.
    """
    mine = (LinkedAccount.user == user) & (LinkedAccount.provider == directory.PROVIDER)
    with db.atomic():
        try:
            account_management.keep_one(user)
        except account_management.LastAdministratorError as error:
            log.error("the directory has %s no more, but the account stays: %s", user.address, error)
            return False
        if not User.update(active=0).where(User.id == user.id, User.active == 1, User.password == "").execute():
            return False
        LinkedAccount.update(left=now()).where(mine).execute()
    ended, _programs = end_everything(user, settings)
    audit.record(AuditAct.DIRECTORY_LEFT, target=user.address, by=by, sessions=ended or None)
    return True


def disabled() -> list[User]:
    """Accounts that are disabled since their people left. One SELECT."""
    found = User.select().join(LinkedAccount).where(LinkedAccount.left.is_null(False), User.active == 0)
    return list(found.order_by(pw.fn.LOWER(User.address)))
