"""Second step: what a person has besides their password, and whether signing in takes it. No Flask here.

An authenticator app or a security key is a factor; recovery codes come with the first one and go with the last.
`User.second_step` says whether there is one: it is kept true here alone, by `changing`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum

import peewee as pw

from webmail.auth import authenticator, mailed_codes, recovery_codes
from webmail.auth.mailed_codes import CodePurpose, CodeRefused
from webmail.auth.throttle import attempt_at
from webmail.config import Settings
from webmail.database.connection import db
from webmail.errors import SignInRefused
from webmail.models import Authenticator, SecurityKey, User


class Factor(StrEnum):
    """What somebody proves who they are with, as the audit log calls it."""

    PASSWORD = "password"  # only where a change is confirmed and there is no other
    APP = "app"
    KEY = "key"
    PASSKEY = "passkey"
    CODE = "code"  # a recovery code
    MAIL = "mail"
    VOUCHER = "voucher"


@dataclass(frozen=True, slots=True)
class Factors:
    """What a person has set up. `codes`: recovery codes that are left."""

    apps: Sequence[Authenticator] = ()
    keys: Sequence[SecurityKey] = ()
    codes: int = 0

    @property
    def count(self) -> int:
        """How many factors; recovery codes are none by themselves."""
        return len(self.apps) + len(self.keys)


def factors_of(user: User) -> Factors:
    """Three SELECTs."""
    keys = list(SecurityKey.select().where(SecurityKey.user == user).order_by(SecurityKey.id))
    return Factors(authenticator.of(user), keys, recovery_codes.left(user))


@contextmanager
def changing(user: User) -> Iterator[None]:
    """A transaction for changes of somebody's factors, one at a time; `user.second_step` is true to them when it ends."""
    with db.atomic():
        User.update(second_step=User.second_step).where(User.id == user.id).execute()  # holds the row: others wait here
        yield
        user.second_step = int(_has_factor(user))
        User.update(second_step=user.second_step).where(User.id == user.id).execute()
        if not user.second_step:
            recovery_codes.forget(user)


def reset(user: User) -> int:
    """Forget all factors of somebody, and their recovery codes; returns how many factors there were.

    The caller ends their sessions and trusted devices.
    """
    with changing(user):
        return sum(table.delete().where(table.user == user).execute() for table in (Authenticator, SecurityKey))


def check_code(user: User, code: str, settings: Settings, *, browser: str = "", place: str = "second step") -> Factor:
    """Whether a code that was typed, of an app or a recovery code, is right; it is used up. Returns which of them it was.

    Tries are counted by person and `place`, and those on a browser that the person signed in on before (`browser`: the key that
    known_devices.recognise gives) by themselves: whoever knows the password and guesses elsewhere does not lock the person out.
    Nor are right recovery codes ever refused, since 50 bits can't be guessed here. Raises SignInRefused, and TooManyAttempts
    without looking at any other code.
    """
    if recovery_codes.accept(user, code, settings):
        return Factor.CODE
    attempt = attempt_at(f"{place} of {user.id} {browser}".rstrip(), settings)
    factor = None
    if authenticator.accept(user, code, settings):
        factor = Factor.APP
    elif _is_mailed(user, code, settings):
        factor = Factor.MAIL
    if factor is None:
        raise SignInRefused("not a code of the second step")
    attempt.delete_instance()
    return factor


def _is_mailed(user: User, code: str, settings: Settings) -> bool:
    if not mailed_codes.can_replace_factor(user, settings):
        return False
    try:
        address = mailed_codes.accept(user, CodePurpose.SECOND_STEP, code, settings)
    except CodeRefused:
        return False
    return address == user.recovery_address  # it may have changed since


def _has_factor(user: User) -> bool:
    tables: tuple[type[pw.Model], ...] = (Authenticator, SecurityKey)
    return any(table.select().where(table.user == user).exists() for table in tables)  # type: ignore[attr-defined]
