"""Pause of app passwords: they stop where a provider has not vouched for their owner in a long time. No Flask here.

OpenID Connect, CAS and proxies tell nobody who left; they only no longer let them sign in. An app password would open the mail
all the same, for ever. So it pauses some days after the last sign-in (`provider_app_password_days`), a week after its owner was
told, and works again as soon as they sign in. Not where the account has a password here, or is in an LDAP directory, which is
asked itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import peewee as pw

from webmail import audit
from webmail.auth.devices import app_passwords
from webmail.auth.sessions import mail_sessions
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.models import AppPassword, AuditAct, LinkedAccount, User, now

EVERY = timedelta(hours=1)
NOTICE = timedelta(days=7)  # before app passwords pause, also where they are due already when this begins
_ASKED = "ldap"  # the provider that is asked who left: directory.PROVIDER, which stands above this


@dataclass(frozen=True, slots=True)
class Unvouched:
    """Somebody whom no provider has vouched for since `last`; their app passwords pause, or paused, at `ends` (naive UTC)."""

    user: User
    last: datetime
    ends: datetime


Tell = Callable[[Unvouched], object]


def sweep(settings: Settings, warn: Tell, tell: Tell) -> tuple[int, int]:
    """Tell those whose app passwords pause in a week (`warn`), pause those of who was told then (`tell`).

    Returns how many of each. What is queued by `warn` and `tell` is in the transaction that notes it: told once, after a kill
    too. Two SELECTs where nothing is due. Waits for Dovecot, for each that pauses.
    """
    if not settings.provider_app_password_days:
        _resume(AppPassword.user.is_null(False))  # the setting was taken back
        return 0, 0
    span = timedelta(days=settings.provider_app_password_days)
    notice = min(NOTICE, span / 2)
    untold, told = LinkedAccount.warned.is_null(), LinkedAccount.warned <= now() - notice
    warned = sum(_warn(user, span, notice, warn) for user in _absent(now() - span + notice, untold))
    paused = sum(_pause(user, span, tell, settings) for user in _absent(now() - span, told))
    return warned, paused


def is_back(user: User) -> None:
    """A provider vouched for them just now: what paused works again, until the day that was chosen for it. Two UPDATEs."""
    _resume(AppPassword.user == user)
    LinkedAccount.update(warned=None).where(LinkedAccount.user == user, LinkedAccount.warned.is_null(False)).execute()


def _absent(since: datetime, which: pw.Expression) -> list[User]:
    """People with app passwords that work, who can sign in by such a provider alone and have not since then."""
    links = LinkedAccount.select(pw.Value(1)).where(LinkedAccount.user == User.id)
    theirs = AppPassword.select(pw.Value(1)).where(AppPassword.user == User.id, _works())
    lately = links.where((LinkedAccount.used >= since) | (LinkedAccount.provider == _ASKED))
    there = (User.active == 1) & (User.password == "") & pw.fn.EXISTS(links.where(which)) & pw.fn.EXISTS(theirs)
    return list(User.select().where(there, ~pw.fn.EXISTS(lately)).order_by(User.id))


def _warn(user: User, span: timedelta, notice: timedelta, warn: Tell) -> bool:
    """Whoever sets the mark tells them."""
    last = _last(user)
    with db.atomic():
        mine = (LinkedAccount.user == user) & LinkedAccount.warned.is_null() & (LinkedAccount.used <= last)
        if not LinkedAccount.update(warned=now()).where(mine).execute():
            return False
        warn(Unvouched(user, last, max(last + span, now() + notice)))
    return True


def _pause(user: User, span: timedelta, tell: Tell, settings: Settings) -> bool:
    """Whoever changes the rows tells them. What is open is ended at once."""
    last, works = _last(user), (AppPassword.user == user) & _works()
    with db.atomic():
        numbers = [row.id for row in AppPassword.select(AppPassword.id).where(works)]
        before = pw.fn.COALESCE(AppPassword.expires, 0)
        if not AppPassword.update(before_pause=before, expires=int(time.time())).where(works).execute():
            return False
        app_passwords.mark_revoked(User.id == user.id)
        audit.record(AuditAct.APP_PASSWORDS_PAUSED, target=user.address)
        tell(Unvouched(user, last, max(last + span, now())))
    for number in numbers:
        mail_sessions.end_app_password(number, user.address, settings)
    return True


def _resume(whose: pw.Expression) -> None:
    chosen = pw.fn.NULLIF(AppPassword.before_pause, 0)
    paused = whose & AppPassword.before_pause.is_null(False)
    AppPassword.update(expires=chosen, before_pause=None).where(paused).execute()


def _last(user: User) -> datetime:
    last: datetime = LinkedAccount.select(pw.fn.MAX(LinkedAccount.used)).where(LinkedAccount.user == user).scalar()
    return last


def _works() -> pw.Expression:
    return AppPassword.before_pause.is_null() & (AppPassword.expires.is_null() | (AppPassword.expires > int(time.time())))
