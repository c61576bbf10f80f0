"""Sign-in: authentication by name and password, slowed down for whoever guesses (auth/sign_in/throttle.py). No Flask here."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from peewee import IntegrityError

from webmail import rate_limits
from webmail.account import Account, Password
from webmail.auth import aliases, new_accounts, reserved_addresses
from webmail.auth.passwords import hashing
from webmail.auth.passwords.check_admission import checking
from webmail.auth.providers import directory
from webmail.auth.providers.accounts import NotLetInError, Refusal
from webmail.auth.recovery import temporary_passwords
from webmail.auth.recovery.temporary_passwords import TemporaryPasswordOverError
from webmail.auth.sessions import known_devices
from webmail.auth.sign_in import sources, throttle, unlock_codes
from webmail.auth.sign_in.names import normalise
from webmail.auth.sign_in.waiting_lines import Place
from webmail.config.settings import Settings
from webmail.database.connection import DATABASE_AWAY, db
from webmail.database.prepared import Prepared
from webmail.errors import MailError, SignInRefusedError
from webmail.models import User


def sign_in(
    address_or_name: str,
    password: str,
    network: str,
    settings: Settings,
    check_imap: Callable[[Account], None],
    *,
    browser: str = "",
    computer: str = "",
    admitted: Place | None = None,
    code: str = "",
) -> User:
    """Authenticate; returns the user, creating their row at the first sign-in if IMAP or the directory authenticates.

    `network`: see sessions.network_of, "" if unknown. `check_imap` signs in to the IMAP server and raises SignInRefusedError or
    ServerAwayError. `browser`: the known-devices cookie (known_devices.py). `computer`: that of a shared one (sources.py).
    `admitted`: see throttle.begin.
    `code`: a door code (auth/sign_in/unlock_codes.py), if one was typed.

    Raises SignInRefusedError, TooManyRequestsError (the password is not checked then); TooBusyError, ServerAwayError, and
    NotLetInError where the password was right (not counted as failures).
    """
    address, source = normalise(address_or_name, settings.domain), sources.NOWHERE
    owner = directory.owner_of(address, settings)
    if own := known_devices.recognise(browser, owner, settings.secret_key):
        counted = own
    elif code and unlock_codes.is_right(code, owner, settings):
        counted = f"door code of {owner}"[:254]
    else:
        counted = address or f"name {address_or_name.strip().lower()}"[:254]  # like no other key: nobody types one of those
        source = sources.source_of(network, computer, settings)
    attempt = throttle.begin(counted, source, settings, admitted=admitted)
    if not address or not hashing.usable(password):
        raise SignInRefusedError("not a name and a password")
    try:
        if settings.sign_in == "accounts":
            user = _by_accounts(address, password, settings, network)
        else:
            user = _by_imap(address, password, settings, check_imap)
    except MailError as error:
        if not isinstance(error, SignInRefusedError):  # a server error, not a wrong password
            rate_limits.give_back(attempt.use)
        raise
    throttle.succeeded(attempt, settings)
    return user


def account_address(address_or_name: str, domain: str) -> str:
    """The address of the account that was named, "" if there is none. Never raises.

    For what is kept of refused sign-ins: people type passwords where the name belongs.
    """
    address = normalise(address_or_name, domain)
    with suppress(*DATABASE_AWAY):
        return address if address and User.select().where(User.address == address).exists() else ""
    return ""


_of_address = Prepared(lambda slot: User.select().where(User.address == slot("address")))


def _by_accounts(address: str, password: str, settings: Settings, network: str) -> User:
    user = _of_address.first(address=address) or aliases.account_formerly(address)
    if directory.is_asked(user, settings):
        return directory.sign_in(address, password, settings, network)
    return _by_own_table(user, password)


def _by_own_table(user: User | None, password: str) -> User:
    password = temporary_passwords.as_kept(user, password)
    with checking():
        right = hashing.verify(user.password if user else "", password)
    if user is None or not right:
        raise SignInRefusedError("wrong name or password")
    if not user.active:  # told to who knows the password, and to nobody else
        raise NotLetInError(Refusal.DISABLED, user.address)
    if temporary_passwords.is_over(user):
        raise TemporaryPasswordOverError("the temporary password is too old")
    if hashing.needs_rehash(user.password):
        with checking():
            hashed = hashing.hash_password(password)
        # only over the one that was checked: it may have been changed meanwhile
        if User.update(password=hashed).where(User.id == user.id, User.password == user.password).execute():
            user.password = hashed
    return user


def _by_imap(address: str, password: str, settings: Settings, check_imap: Callable[[Account], None]) -> User:
    if settings.login_name == "local" and address.rpartition("@")[2] != settings.domain.lower():
        raise SignInRefusedError("the server would take alice of one domain for alice of another")
    check_imap(Account(address, settings.imap, settings.smtp, Password(settings.username(address), password), settings.sieve))
    user = User.get_or_none(User.address == address) or _first_time(address, settings)
    if not user.active:
        raise NotLetInError(Refusal.DISABLED, user.address)
    return user


def _first_time(address: str, settings: Settings) -> User:
    if reserved_addresses.is_reserved(address):
        raise NotLetInError(Refusal.RESERVED, address)
    local, _, domain = address.rpartition("@")
    try:
        with db.atomic():
            user = User.create(address=address, local=local, domain=domain)
            new_accounts.created(user, settings)
            return user
    except IntegrityError:  # two tabs at once
        return User.get(User.address == address)
