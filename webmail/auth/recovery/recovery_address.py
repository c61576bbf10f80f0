"""Recovery address: where to reach somebody who can't get into their own mail; outside of it, and confirmed. No Flask here."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from webmail.auth.recovery import password_reset
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.errors import BadAddressError
from webmail.mime.headers.address_input import address_key, ascii_address, parse_addresses
from webmail.models import User, now

LONGEST = 254
_REMIND_EVERY = timedelta(days=30)


class AddressFault(StrEnum):
    """Why an address can't be one for recovery."""

    INVALID = "invalid"
    LONG = "long"
    INSIDE = "inside"  # of the establishment: whoever is locked out can't read it either
    SAME = "same"  # it is that already


class AddressRefusedError(ValueError):
    """`fault`: why."""

    def __init__(self, fault: AddressFault) -> None:
        super().__init__(fault)
        self.fault = fault


def is_offered(settings: Settings) -> bool:
    """Whether people may give one: it is confirmed by a mail of the establishment."""
    return settings.recovery_address != "off" and bool(settings.system_address)


def outside(typed: str, user: User, settings: Settings) -> str:
    """The address that was typed, as it is stored. Raises AddressRefusedError."""
    if len(typed) > 4 * LONGEST:
        raise AddressRefusedError(AddressFault.LONG)
    try:
        found = parse_addresses(typed.strip())
        address = address_key(ascii_address(found[0].email)) if len(found) == 1 and not found[0].name else ""
    except BadAddressError:
        address = ""
    domain = address.rpartition("@")[2]
    if "." not in domain or domain.startswith("[") or not address.isprintable():
        raise AddressRefusedError(AddressFault.INVALID)
    if len(address) > LONGEST:
        raise AddressRefusedError(AddressFault.LONG)
    if domain in _inside(user, settings) or address == user.address:
        raise AddressRefusedError(AddressFault.INSIDE)
    if address == user.recovery_address:
        raise AddressRefusedError(AddressFault.SAME)
    return address


def is_time_to_ask(user: User, settings: Settings) -> bool:
    """Whether to ask after signing in: those who have none, once in _REMIND_EVERY. No query."""
    if settings.recovery_address != "ask" or not is_offered(settings) or user.recovery_address:
        return False
    return user.recovery_asked is None or user.recovery_asked <= now() - _REMIND_EVERY


def note_asked(user: User) -> None:
    user.recovery_asked = now()
    User.update(recovery_asked=user.recovery_asked).where(User.id == user.id).execute()


def keep(user: User, address: str, *, at_once: bool = True) -> str:
    """Make a confirmed address theirs, "" for none; returns the one before. Links to a new password that were sent there end.

    `at_once`: else it leads to a new password only after a day, in which its owner has the mail about it.
    """
    before = str(user.recovery_address)
    user.recovery_address, user.recovery_from = address, password_reset.counts_from(at_once)
    User.update(recovery_address=address, recovery_from=user.recovery_from).where(User.id == user.id).execute()
    if before:
        password_reset.void(user)
    return before


def _inside(user: User, settings: Settings) -> set[str]:
    listed = (settings.domain, user.domain, *(one.name for one in settings.domains))
    return {address_key(f"x@{domain}").rpartition("@")[2] for domain in listed if domain}


def missing(condition: Any, after: int, most: int) -> list[User]:
    """Accounts in use without one, of which `condition` is true, by their number. 1 SELECT."""
    found = User.select().where(User.active == 1, User.recovery_address == "", condition, User.id > after)
    return list(found.order_by(User.id).limit(most))


def ask_again(numbers: Collection[int], condition: Any) -> list[tuple[int, str, str]]:
    """Have these people asked at their next sign-in; returns the number and address of each, and when they were asked before."""
    chosen = User.id.in_(list(numbers)) & (User.recovery_address == "") & condition
    with db.atomic():
        people = list(User.select().where(chosen))
        found = [(one.id, str(one.address), str(one.recovery_asked or "")) for one in people]
        User.update(recovery_asked=None).where(User.id.in_([number for number, _address, _asked in found])).execute()
    return found


def put_asked(found: Sequence[tuple[int, str]]) -> None:
    """As `ask_again` found it: the numbers, and when they were asked."""
    with db.atomic():
        for number, asked in found:
            when = datetime.fromisoformat(asked) if asked else None
            User.update(recovery_asked=when).where(User.id == number, User.recovery_asked.is_null()).execute()
