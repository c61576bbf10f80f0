"""Confirmation: a signed-in person is asked for a factor again before how they sign in is changed. No Flask here.

It holds for ten minutes and for one session (`Session.confirmed`). Whoever has no factor is asked for the password.
"""

from __future__ import annotations

from collections.abc import Callable

from webmail import rate_limits
from webmail.account import Account, Password
from webmail.auth.factors import second_step
from webmail.auth.factors.second_step import Factor
from webmail.auth.passwords import hashing
from webmail.auth.passwords.check_admission import checking
from webmail.auth.providers import directory
from webmail.auth.sign_in.throttle import attempt_at
from webmail.config.settings import Settings
from webmail.errors import MailError, SignInRefusedError
from webmail.models import Session, User, now


def confirm(
    session: Session, typed: str, settings: Settings, check_imap: Callable[[Account], None], *, browser: str = ""
) -> Factor:
    """Check what the person of this session typed: a code where they have a factor, else the password. Returns what it was.

    `check_imap` and `browser`: as in sign_in.sign_in and second_step.check_code. Raises SignInRefusedError, TooManyRequestsError,
    TooBusyError and ServerAwayError.
    """
    user: User = session.user
    if user.second_step:
        factor = second_step.confirm_code(user, typed, settings, browser=browser)
    else:
        _check_password(user, typed, settings, check_imap)
        factor = Factor.PASSWORD
    mark(session)
    return factor


def mark(session: Session) -> None:
    """Note that a factor was given in this session just now. One UPDATE."""
    session.confirmed = now()
    Session.update(confirmed=session.confirmed).where(Session.id_hash == session.id_hash).execute()


def _check_password(user: User, typed: str, settings: Settings, check_imap: Callable[[Account], None]) -> None:
    attempt = attempt_at(f"confirm of {user.id}", settings)
    if not hashing.usable(typed):
        raise SignInRefusedError("not a password")
    try:
        if directory.is_asked(user, settings):
            directory.check_password(user, typed, settings)
        elif settings.sign_in == "accounts":
            with checking():
                right = hashing.verify(user.password, typed)
            if not right:
                raise SignInRefusedError("not the password")
        else:
            name = settings.username(user.address)
            check_imap(Account(user.address, settings.imap, settings.smtp, Password(name, typed), settings.sieve))
    except MailError as error:
        if not isinstance(error, SignInRefusedError):  # nobody looked at it, so it is not a wrong one
            rate_limits.give_back(attempt)
        raise
    rate_limits.give_back(attempt)
