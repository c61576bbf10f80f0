"""Sign-in: authentication by name and password, rate limited against brute force.

Failed attempts are counted per address and per network. That alone would let anybody lock a user out, so a browser on which the
user signed in before (auth/known_devices.py) has its own count: failures elsewhere do not block it, its own failures block nobody
else, and whoever steals it has as few tries. On a new browser, a user under attack has to wait.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

from peewee import Expression, IntegrityError

from webmail.account import Account, Password
from webmail.auth import known_devices, passwords
from webmail.auth.check_slots import check_slot
from webmail.config import Settings
from webmail.database.connection import DATABASE_AWAY, db
from webmail.errors import MailError, SignInRefused
from webmail.models import SignInFailure, User, now

WINDOW = timedelta(minutes=15)
_NETWORK_FACTOR = 5  # many users may share one public address, e.g. of a school
_ADDRESS = re.compile(r"[^\s@\x00-\x1f\x7f]{1,190}@[^\s@\x00-\x1f\x7f]{1,190}")


class TooManyAttempts(MailError):
    """Too many failed attempts for this address or from this network; retry after `retry_minutes`."""

    status = 429

    def __init__(self, retry_minutes: int) -> None:
        super().__init__(f"too many attempts; again in {retry_minutes} min")
        self.retry_minutes = retry_minutes


def sign_in(
    address_or_name: str,
    password: str,
    network: str,
    settings: Settings,
    check_imap: Callable[[Account], None],
    *,
    browser: str = "",
) -> User:
    """Authenticate; returns the user, creating their row at the first sign-in if IMAP authenticates.

    `network`: see sessions.network_of, "" if unknown. `check_imap` signs in to the IMAP server and raises SignInRefused or
    ServerAway. `browser`: the known-devices cookie (auth/known_devices.py).

    Raises SignInRefused, TooManyAttempts (the password is not checked then), TooBusy and ServerAway (not counted as failures).
    """
    address = normalise(address_or_name, settings.domain)
    if own := known_devices.recognise(browser, address, settings.secret_key):
        attempt = _begin(own, "", settings.sign_in_attempts)
    else:
        attempt = _begin(address or address_or_name.strip().lower()[:254], network, settings.sign_in_attempts)
    if not address or not passwords.usable(password):
        raise SignInRefused("not a name and a password")
    try:
        if settings.sign_in == "accounts":
            user = _by_own_table(address, password)
        else:
            user = _by_imap(address, password, settings, check_imap)
    except MailError as error:
        if not isinstance(error, SignInRefused):  # a server error, not a wrong password
            attempt.delete_instance()
        raise
    SignInFailure.delete().where(SignInFailure.address == (own or address)).execute()
    return user


def normalise(address_or_name: str, domain: str) -> str:
    """`local@domain` in lower case, with `domain` appended if none was typed; "" if invalid.

    Nothing invisible: it is printed in terminals and audit logs, and could be taken for somebody else's address.

    Lower-cased as in Dovecot, so that "Alice" and "alice" are the same user with the same rate limit.
    """
    text = address_or_name.strip().lower()
    if "@" not in text and domain:
        text = f"{text}@{domain.lower()}"
    return text if _ADDRESS.fullmatch(text) and len(text) <= 254 and text.isprintable() else ""


def account_address(address_or_name: str, domain: str) -> str:
    """The address of the account that was named, "" if there is none. Never raises.

    For what is kept of refused sign-ins: people type passwords where the name belongs.
    """
    address = normalise(address_or_name, domain)
    with suppress(*DATABASE_AWAY):
        return address if address and User.select().where(User.address == address).exists() else ""
    return ""


def forget_old_failures() -> int:
    """Delete the failures older than WINDOW; returns how many."""
    return SignInFailure.delete().where(SignInFailure.at < now() - WINDOW).execute()


def attempt_at(what: str, settings: Settings) -> SignInFailure:
    """Count an attempt to say the password elsewhere than at the door; delete what is returned if it was right.

    Raises TooManyAttempts. `what` tells apart whose they are: they count by themselves.
    """
    return _begin(what[:254], "", settings.sign_in_attempts)


def _begin(address: str, network: str, limit: int) -> SignInFailure:
    """Record a failure before the password is checked, so that concurrent attempts all count; it is deleted on success.

    Raises TooManyAttempts; such an attempt is not recorded, so that waiting always helps.
    """
    forget_old_failures()
    with db.atomic():
        attempt = SignInFailure.create(address=address, network=network)
        minutes = _wait(SignInFailure.address == address, limit)
        if network:
            minutes = max(minutes, _wait(SignInFailure.network == network, limit * _NETWORK_FACTOR))
        if minutes:
            attempt.delete_instance()
    if minutes:
        raise TooManyAttempts(minutes)
    return attempt


def _wait(same: Expression, limit: int) -> int:
    """Minutes until another attempt is allowed, 0 for now. The rows include the current attempt."""
    times = [
        row.at for row in SignInFailure.select(SignInFailure.at).where(same).order_by(SignInFailure.at.desc()).limit(limit + 1)
    ]
    if len(times) <= limit:
        return 0
    return max(1, math.ceil((times[-1] + WINDOW - now()).total_seconds() / 60))


def _by_own_table(address: str, password: str) -> User:
    user = User.get_or_none(User.address == address)
    with check_slot():
        right = passwords.verify(user.password if user else "", password)
    if user is None or not right or not user.active:
        raise SignInRefused("wrong name or password, or an account that is switched off")
    if passwords.needs_rehash(user.password):
        with check_slot():
            user.password = passwords.hash_password(password)
        user.save(only=[User.password])
    return user


def _by_imap(address: str, password: str, settings: Settings, check_imap: Callable[[Account], None]) -> User:
    if settings.login_name == "local" and address.rpartition("@")[2] != settings.domain.lower():
        raise SignInRefused("the server would take alice of one domain for alice of another")
    check_imap(Account(address, settings.imap, settings.smtp, Password(settings.username(address), password), settings.sieve))
    user = User.get_or_none(User.address == address) or _first_time(address)
    if not user.active:
        raise SignInRefused("this account is switched off")
    return user


def _first_time(address: str) -> User:
    local, _, domain = address.rpartition("@")
    try:
        with db.atomic():
            return User.create(address=address, local=local, domain=domain)
    except IntegrityError:  # two tabs at once
        return User.get(User.address == address)
