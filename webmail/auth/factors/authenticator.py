"""Authenticator apps: codes of six digits that change every 30 seconds (TOTP, RFC 6238). No Flask here.

The secret of an app is sealed (vault.py). A code is good for its own step, the one before and the one after, since clocks differ,
and once only (section 5.2): the latest accepted step is raised in one conditional UPDATE, so that of two tries at once one wins.
"""

from __future__ import annotations

import hmac
import logging
import re
import time
from collections.abc import Sequence

from webmail import vault
from webmail.config.settings import Settings
from webmail.models import Authenticator, User, now

log = logging.getLogger(__name__)

MOST = 5  # apps of one person
_STEP = 30  # seconds
_DRIFT = (0, -1, 1)  # steps
_CODE = re.compile(r"[0-9]{6}")
_PURPOSE = "authenticator"


def new_secret() -> str:
    """160 bits, in base32, as people type it."""
    import pyotp

    return pyotp.random_base32()


def seal(secret: str, user: User, settings: Settings) -> bytes:
    return vault.seal_secret(secret.encode(), settings.secret_key, _PURPOSE, user.id)


def unseal(sealed: bytes, user: User, settings: Settings) -> str:
    """Raises vault.CannotOpenError."""
    return vault.open_secret(sealed, settings.secret_key, _PURPOSE, user.id).decode()


def otpauth(secret: str, user: User, settings: Settings) -> str:
    """The address that an app reads from the picture (the "Key URI format" of Google Authenticator)."""
    import pyotp

    return pyotp.TOTP(secret).provisioning_uri(name=user.address, issuer_name=settings.name)


def step_of(secret: str, code: str, at: float | None = None) -> int | None:
    """The step that this code is of, counted from 1970, if it is near `at` (seconds since 1970; now); else None."""
    import pyotp

    code = normalise(code)
    if not code:
        return None
    app, here = pyotp.TOTP(secret), int(time.time() if at is None else at) // _STEP
    found = None
    for drift in _DRIFT:  # all of them, so that the time it takes tells nothing
        if hmac.compare_digest(app.generate_otp(here + drift), code) and found is None:
            found = here + drift
    return found


def normalise(text: str) -> str:
    """The six digits of what was typed, "" if it can't be such a code."""
    digits = re.sub(r"[\s\-\u2010-\u2015.]", "", text[:40])
    return digits if _CODE.fullmatch(digits) else ""


def add(user: User, name: str, secret: str, step: int, settings: Settings) -> Authenticator:
    """Keep an app whose code of `step` was typed; that code is used up. Within `second_step.changing`."""
    return Authenticator.create(
        user=user, name=name[:60], secret=seal(secret, user, settings), last_step=step, created=now(), used=now()
    )


def accept(user: User, code: str, settings: Settings, at: float | None = None) -> Authenticator | None:
    """The app of `user` that shows this code, which is used up by it; None if there is none. One SELECT, one UPDATE."""
    if not normalise(code):
        return None
    for app in for_user(user):
        try:
            step = step_of(unseal(app.secret, user, settings), code, at)
        except vault.CannotOpenError as error:
            log.error("the authenticator app %s of %s can't be opened: %s", app.id, user.address, error)
            continue
        if step is None:
            continue
        newer = (Authenticator.id == app.id) & (Authenticator.last_step < step)
        if Authenticator.update(last_step=step, used=now()).where(newer).execute():
            return app
    return None


def for_user(user: User) -> Sequence[Authenticator]:
    """The apps of `user`, the first one first."""
    return list(Authenticator.select().where(Authenticator.user == user).order_by(Authenticator.id))


def remove(user: User, number: int) -> Authenticator | None:
    """Forget an app; returns it, None if it is not theirs. Within `second_step.changing`."""
    app: Authenticator | None = Authenticator.get_or_none(Authenticator.id == number, Authenticator.user == user)
    return app if app is not None and app.delete_instance() else None
