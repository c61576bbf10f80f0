"""Sign-in of telephones and programs: an app password made for calendars or contacts, or the account's own where that is allowed.

App passwords need no throttle: nobody finds one by trying. Attempts with anything else are counted (attempts.py), apart from
those of pages, so that a forgotten telephone locks nobody out.
"""

from __future__ import annotations

import hmac
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from webmail.account import Account, Password
from webmail.auth import aliases
from webmail.auth.devices import app_passwords, cloud_programs
from webmail.auth.passwords import hashing
from webmail.auth.passwords.check_admission import checking
from webmail.auth.providers import directory
from webmail.auth.sign_in.names import normalise
from webmail.collections.store import BOOK, CALENDAR
from webmail.collections.trash import UNNAMED
from webmail.config.settings import Settings
from webmail.dav.attempts import counted_attempt, is_known, lane
from webmail.errors import SignInRefusedError
from webmail.models import AppPassword, User, now
from webmail.people import policies

TODO = "VTODO"  # the components of a calendar that is for tasks alone
_AREAS = {BOOK: "contacts", CALENDAR: "calendar", TODO: "todo"}
_REMEMBERED = 300.0  # seconds that a right password of an account is not hashed again
_MOST = 5_000  # of those
_key = secrets.token_bytes(32)  # of this process
_right: OrderedDict[bytes, float] = OrderedDict()
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Device:
    """Who asks, and for which kinds of collections."""

    user: User
    kinds: tuple[str, ...]
    name: str = UNNAMED  # what the person calls it
    hidden: frozenset[str] = frozenset()  # kinds that their groups hide from them; of calendars, those for tasks alone are TODO


def sign_in(name: str, secret: str, network: str, settings: Settings, check_imap: Callable[[Account], None]) -> Device:
    """Whose telephone this is. `check_imap`: as in auth/sign_in/authentication.py. 1 query with an app password.

    Raises SignInRefusedError, TooManyRequestsError; TooBusyError and ServerAwayError where nobody looked at the password.
    """
    address = normalise(name, settings.domain)
    if not address or not hashing.usable(secret):
        raise SignInRefusedError("not a name and a password")
    program = cloud_programs.program_at(network, settings)
    if program is not None and program.block:
        raise SignInRefusedError(f"{program.name} may not sign in")
    device = _without_hidden(_signed_in(address, secret, network, settings, check_imap))
    if program is not None:
        cloud_programs.note(device.user, network, settings)
    return device


def _signed_in(address: str, secret: str, network: str, settings: Settings, check_imap: Callable[[Account], None]) -> Device:
    if (device := _by_app_password(address, secret, network)) is not None:
        return device
    user = User.get_or_none(User.address == address)
    if user is None and (user := aliases.account_formerly(address)) is not None:
        device = _by_app_password(str(user.address), secret, network)
        if device is not None:
            return _under(address, device)
    if user is not None and user.active and app_passwords.own_password_opens(user, settings):
        proof = _proof(user, secret)
        if _is_remembered(proof):
            return _under(address, Device(user, (BOOK, CALENDAR)))
        if user.password or settings.sign_in != "accounts" or directory.is_asked(user, settings):
            return _under(address, _by_own_password(user, secret, network, settings, check_imap))
    with lane(False), counted_attempt(address, secret, network, settings, user=user):
        if settings.sign_in == "accounts" and settings.own_password_on_devices != "never":
            with checking():  # so that time does not tell who has an account, or a second step
                hashing.verify("", secret)
        raise SignInRefusedError("no app password of theirs")


def _without_hidden(device: Device) -> Device:
    """What is hidden from somebody's pages (webmail/people/policies.py) is hidden from their telephones."""
    areas = policies.hidden(device.user)
    hidden = frozenset(kind for kind, area in _AREAS.items() if area in areas)
    return replace(device, kinds=tuple(one for one in device.kinds if one not in hidden), hidden=hidden) if hidden else device


def _under(address: str, device: Device) -> Device:
    """A telephone that was set up before the person's address changed finds everything where it was: below the former one.

    The row is not saved by these pages.
    """
    if device.user.address != address:
        device.user.renamed_to, device.user.address = str(device.user.address), address
    return device


def _by_app_password(address: str, secret: str, network: str) -> Device | None:
    found = (
        AppPassword.select(AppPassword, User)
        .join(User)
        .where(AppPassword.sha == app_passwords.hash_of(secret), User.address == address, User.active == 1)
        .first()
    )
    if found is None or not (found.caldav or found.carddav) or (found.expires is not None and found.expires <= time.time()):
        return None
    kinds = tuple(kind for kind, allowed in ((BOOK, found.carddav), (CALENDAR, found.caldav)) if allowed)
    if found.used is None or found.used < now() - timedelta(minutes=1):
        app_passwords.used(found.id, "caldav" if found.caldav else "carddav", network)
    return Device(found.user, kinds, found.name or UNNAMED)


def _by_own_password(user: User, secret: str, network: str, settings: Settings, check_imap: Callable[[Account], None]) -> Device:
    with lane(is_known(user, network)), counted_attempt(user.address, secret, network, settings, user=user):
        if _is_remembered(_proof(user, secret)):  # by another connection, which this one has waited for
            return Device(user, (BOOK, CALENDAR))
        if directory.is_asked(user, settings):
            directory.check_password(user, secret, settings)
        elif settings.sign_in == "accounts":
            with checking():
                right = hashing.verify(user.password, secret)
            if not right:
                raise SignInRefusedError("not the password")
        else:
            name = settings.username(user.address)
            check_imap(Account(user.address, settings.imap, settings.smtp, Password(name, secret), settings.sieve))
        _remember(_proof(user, secret))  # before those that wait for this check go on
    return Device(user, (BOOK, CALENDAR))


# --- what was right a moment ago -------------------------------------------------------------------------------------


def _proof(user: User, secret: str) -> bytes:
    """Another one as soon as the password is changed here."""
    return hmac.digest(_key, "\0".join([str(user.id), user.password, secret]).encode("utf-8", "replace"), "sha256")


def _is_remembered(proof: bytes) -> bool:
    with _lock:
        return _right.get(proof, 0.0) > time.monotonic() - _REMEMBERED


def _remember(proof: bytes) -> None:
    with _lock:
        _right[proof] = time.monotonic()
        _right.move_to_end(proof)
        while len(_right) > _MOST:
            _right.popitem(last=False)
