"""Second step: what a person has besides their password, and whether signing in takes it. No Flask here.

Apps and security keys are factors, and so are codes by e-mail where the person turned them on; recovery codes come with the first
factor and go with the last.
`User.second_step` says whether there is one: it is kept true here alone, by `changing`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum

import peewee as pw

from webmail import rate_limits
from webmail.auth.factors import authenticator, mailed_codes, recovery_codes
from webmail.auth.factors.mailed_codes import CodePurpose, CodeRefusedError
from webmail.auth.sign_in.throttle import attempt_at, attempt_in_turn
from webmail.auth.sign_in.waiting_lines import Place
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.errors import SignInRefusedError
from webmail.models import Authenticator, SecurityKey, User
from webmail.rate_limits import Use


class Factor(StrEnum):
    """What somebody proves who they are with, as the audit log calls it."""

    PASSWORD = "password"  # only where a change is confirmed and there is no other
    APP = "app"
    KEY = "key"
    PASSKEY = "passkey"
    CODE = "code"  # a recovery code
    MAIL = "mail"
    VOUCHER = "voucher"
    PROVIDER = "provider"  # signed in again at one, where a change is confirmed


@dataclass(frozen=True, slots=True)
class Factors:
    """What a person has set up.

    `mail`: where codes by e-mail are sent, "" where they are not turned on. `codes`: recovery codes that are left.
    """

    apps: Sequence[Authenticator] = ()
    keys: Sequence[SecurityKey] = ()
    mail: str = ""
    codes: int = 0

    @property
    def count(self) -> int:
        """How many factors; recovery codes are none by themselves."""
        return len(self.apps) + len(self.keys) + bool(self.mail)


def factors_of(user: User) -> Factors:
    """Three SELECTs."""
    keys = list(SecurityKey.select().where(SecurityKey.user == user).order_by(SecurityKey.id))
    mail = user.recovery_address if user.mailed_step else ""
    return Factors(authenticator.for_user(user), keys, mail, recovery_codes.left(user))


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


def turn_mail_on(user: User) -> bool:
    """Make codes by e-mail a factor; whether that changed anything. Not without a confirmed recovery address."""
    with changing(user):
        mine = (User.id == user.id) & (User.mailed_step == 0) & (User.recovery_address != "")
        changed = bool(User.update(mailed_step=1).where(mine).execute())
        user.mailed_step = int(changed or user.mailed_step)
    return changed


def turn_mail_off(user: User) -> bool:
    """Codes by e-mail are a factor no more; whether they were one."""
    with changing(user):
        changed = bool(User.update(mailed_step=0).where(User.id == user.id, User.mailed_step == 1).execute())
        user.mailed_step = 0
    return changed


def is_last(user: User, settings: Settings) -> bool:
    """Whether somebody who removes an app or key has nothing left that can be used."""
    found = factors_of(user)
    return found.count - bool(found.mail and not mailed_codes.can_replace_factor(user, settings)) <= 1


def has_only_mail(user: User) -> bool:
    """Whether codes by e-mail are the one factor. No query where they are none, else two."""
    return bool(user.mailed_step) and not _has_other(user)


def count_only_mail() -> int:
    """How many people who may sign in have no other factor than codes by e-mail. One SELECT."""
    apps, keys = Authenticator.select(Authenticator.user), SecurityKey.select(SecurityKey.user)
    alone = (User.mailed_step == 1) & (User.active == 1) & User.id.not_in(apps) & User.id.not_in(keys)
    return int(User.select().where(alone).count())


def reset(user: User) -> int:
    """Forget all factors of somebody, and their recovery codes; returns how many factors there were.

    The caller ends their sessions and trusted devices.
    """
    with changing(user):
        mail = turn_mail_off(user)
        return mail + sum(table.delete().where(table.user == user).execute() for table in (Authenticator, SecurityKey))


def note_other_factor(user: User) -> None:
    """They have proved it is them by more than what the recovery address receives: codes may be sent there again."""
    if user.reset_by_mail:
        user.reset_by_mail = 0
        User.update(reset_by_mail=0).where(User.id == user.id).execute()


def check_code(user: User, code: str, settings: Settings, *, browser: str = "", admitted: Place | None = None) -> Factor:
    """Whether a code that was typed at the door, of an app or a recovery code, is right; it is used up. Returns which it was.

    Tries are counted by person, and those on a browser that the person signed in on before (`browser`: the key that
    known_devices.recognise gives) by themselves: whoever knows the password and guesses elsewhere does not lock the person out.
    Nor on a new browser: one that was told to wait has turns (`admitted`: waiting_lines.py). And right recovery codes are never
    refused, since 50 bits can't be guessed here. Raises SignInRefusedError, and TooManyRequestsError without looking at any other
    code.
    """
    if recovery_codes.accept(user, code, settings):
        return Factor.CODE
    return _checked(user, code, settings, attempt_in_turn(f"second step of {user.id} {browser}".rstrip(), settings, admitted))


def confirm_code(user: User, code: str, settings: Settings, *, browser: str = "") -> Factor:
    """The same for somebody who is signed in: counted apart, and nobody has turns."""
    if recovery_codes.accept(user, code, settings):
        return Factor.CODE
    return _checked(user, code, settings, attempt_at(f"confirm of {user.id} {browser}".rstrip(), settings))


def _checked(user: User, code: str, settings: Settings, attempt: Use) -> Factor:
    factor = None
    if authenticator.accept(user, code, settings):
        factor = Factor.APP
    elif _is_mailed(user, code, settings):
        factor = Factor.MAIL
    if factor is None:
        raise SignInRefusedError("not a code of the second step")
    rate_limits.give_back(attempt)
    return factor


def _is_mailed(user: User, code: str, settings: Settings) -> bool:
    if not mailed_codes.can_replace_factor(user, settings):
        return False
    try:
        address = mailed_codes.accept(user, CodePurpose.SECOND_STEP, code, settings)
    except CodeRefusedError:
        return False
    return address == user.recovery_address  # it may have changed since


def _has_factor(user: User) -> bool:
    """Whether mail can be sent is not asked: one wrong setting must not leave people with their password alone."""
    mail = (User.id == user.id) & (User.mailed_step == 1) & (User.recovery_address != "")
    return _has_other(user) or User.select().where(mail).exists()


def _has_other(user: User) -> bool:
    tables: tuple[type[pw.Model], ...] = (Authenticator, SecurityKey)
    return any(table.select().where(table.user == user).exists() for table in tables)  # type: ignore[attr-defined]
