"""Targets of forwarding: the addresses that somebody may choose, who confirmed them, and a copy of what the script does.

The copy is made anew whenever filters are read or written here, so it is as true as the last look at them: a line among the
preferences for the banner of every page, and `ForwardTarget.active` for the administrator and for loops.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from peewee import Expression

from webmail import preferences
from webmail.compose import identities
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.errors import BadAddressError
from webmail.filters.forwarding import policy
from webmail.filters.forwarding.forwarding import Forwarding
from webmail.filters.store import FilterState
from webmail.mime.headers.address_input import address_key, ascii_address, parse_addresses
from webmail.models import AllowedAddress, ForwardTarget, User, now

MOST_TARGETS = 10  # that somebody can choose from
_LONGEST = 254
_CHUNK = 500
_LONGEST_CHAIN = 10  # people who forward to one another
_WIDEST = 50  # addresses looked at for a loop
_PATTERN = "%Y-%m-%dT%H:%MZ"


class TargetFault(StrEnum):
    """Why mail can't be forwarded to an address."""

    INVALID = "invalid"
    OFF = "off"
    POLICY = "policy"
    CLOSED = "closed"  # an account here that is closed: what goes there comes back
    OWN = "own"  # the person's own address: their mail would come back at once
    LOOP = "loop"  # it would come back by what others forward
    MANY = "many"
    CODELESS = "codeless"  # a code would be needed, and none can be mailed
    UNKNOWN = "unknown"  # inside, and of no account that is known: a slip, or a list's


class TargetRefusedError(ValueError):
    """`fault`: why. `address`: as it would be stored, "" where it is none."""

    def __init__(self, fault: TargetFault, address: str = "") -> None:
        super().__init__(fault)
        self.fault, self.address = fault, address


# --- choosing --------------------------------------------------------------------------------------------------------


def typed(text: str, user: User, settings: Settings) -> str:
    """The address that was typed, as it is stored. Raises TargetRefusedError. At most 4 queries, and 3 for each step of a
    chain."""
    try:
        found = parse_addresses(text.strip()) if len(text) <= 4 * _LONGEST else ()
        address = address_key(ascii_address(found[0].email)) if len(found) == 1 and not found[0].name else ""
    except BadAddressError:
        address = ""
    domain = address.rpartition("@")[2]
    if "." not in domain or domain.startswith("[") or not address.isprintable() or len(address) > _LONGEST:
        raise TargetRefusedError(TargetFault.INVALID)
    check(address, user, settings)
    return address


def check(address: str, user: User, settings: Settings) -> None:
    """Raises TargetRefusedError where the policy is against it, or the mail would come back."""
    if not policy.may_forward(user, address, settings):
        off = policy.policy_for(user, settings) is policy.ForwardPolicy.OFF
        raise TargetRefusedError(TargetFault.OFF if off else TargetFault.POLICY, address)
    if _bare(address) in own_addresses(user):
        raise TargetRefusedError(TargetFault.OWN, address)
    if closed([address]):
        raise TargetRefusedError(TargetFault.CLOSED, address)
    if comes_back(user, address):
        raise TargetRefusedError(TargetFault.LOOP, address)


def check_new(address: str, user: User, settings: Settings, *, sure: bool = False) -> None:
    """Raises TargetRefusedError where an address that passed `typed` can't be added now. `sure`: also one that no account has.

    At most 4 queries.
    """
    if not has_room(user, address):
        raise TargetRefusedError(TargetFault.MANY, address)
    inside = policy.is_inside(user, address, settings)
    if not inside and settings.system_sender is None:
        raise TargetRefusedError(TargetFault.CODELESS, address)
    if inside and not sure and not is_known(address) and address not in confirmed(user):
        raise TargetRefusedError(TargetFault.UNKNOWN, address)


def is_known(address: str) -> bool:
    """Whether an account here has this address, or may write as it. At most 2 queries."""
    known = (
        User.select().where(User.address == _bare(address)),
        AllowedAddress.select().where(AllowedAddress.address == address),
    )
    return any(rows.exists() for rows in known)


def closed(addresses: Iterable[str]) -> set[str]:
    """Those of these addresses whose account here is closed. 1 query."""
    asked = {address: _bare(address_key(address)) for address in addresses}
    rows = User.select(User.address).where(User.address.in_(list(asked.values())), User.active == 0)
    found = {str(row.address) for row in rows} if asked else set()
    return {address for address, account in asked.items() if account in found}


def needs_code(user: User, address: str, settings: Settings) -> bool:
    """Whether somebody has to confirm that mail to this address is read: outside, and of ours what is no account: a list or a
    function's address, or nothing at all. Where no codes can be mailed, nobody can be asked inside. At most 2 queries."""
    if not policy.is_inside(user, address, settings):
        return True
    return settings.system_sender is not None and not is_known(address)


def own_addresses(user: User) -> set[str]:
    """Those at which the person's own mail arrives: what is an account of its own, such as a function's, is not. 2 queries."""
    mine = {_bare(address) for address in identities.allowed(user)}
    accounts = User.select(User.address).where(User.address.in_(mine - {user.address}))
    return mine - {str(row.address) for row in accounts}


def comes_back(user: User, address: str) -> bool:
    """Whether mail that is forwarded there comes back, by what people here are known to forward."""
    mine, seen, wanted = own_addresses(user), set[str](), {_bare(address)}
    for _step in range(_LONGEST_CHAIN):
        if mine & wanted:
            return True
        seen |= wanted
        rows = ForwardTarget.select(ForwardTarget.address).join(User).where(_in_force() & User.address.in_(list(wanted)))
        wanted = {_bare(str(row.address)) for row in rows.limit(_WIDEST)} - seen
        if not wanted:
            return False
    return bool(mine & wanted)


def _in_force() -> Expression:
    return ForwardTarget.active & (ForwardTarget.until.is_null() | (ForwardTarget.until > now()))


def _bare(address: str) -> str:
    """Without what stands behind a "+": it arrives in the same mailbox."""
    local, _at, domain = address.rpartition("@")
    return f"{local.partition('+')[0] or local}@{domain}"


# --- the table -------------------------------------------------------------------------------------------------------


def for_user(user: User) -> list[ForwardTarget]:
    """All that somebody can choose from, or that their mail goes to. 1 query."""
    return list(ForwardTarget.select().where(ForwardTarget.user == user).order_by(ForwardTarget.address))


def confirmed(user: User) -> set[str]:
    """1 query."""
    rows = ForwardTarget.select(ForwardTarget.address).where(ForwardTarget.user == user, ForwardTarget.confirmed.is_null(False))
    return {str(row.address) for row in rows}


def may_use(user: User, address: str, settings: Settings) -> bool:
    """Whether a filter may forward there: inside, or confirmed, and where the policy allows it. At most 1 query."""
    if not policy.may_forward(user, address, settings):
        return False
    if policy.is_inside(user, address, settings):
        return not closed([address])
    return address_key(address) in confirmed(user)


def has_room(user: User, address: str) -> bool:
    """Whether one more can be added. 1 query."""
    others = ForwardTarget.select().where(ForwardTarget.user == user, ForwardTarget.address != address)
    return bool(others.count() < MOST_TARGETS)


def confirm(user: User, address: str) -> None:
    """Somebody who reads what arrives there has said so, or it is inside. Raises TargetRefusedError where there are too many."""
    if not has_room(user, address):
        raise TargetRefusedError(TargetFault.MANY, address)
    added = ForwardTarget.insert(user=user, address=address, confirmed=now())
    added.on_conflict(
        conflict_target=[ForwardTarget.user, ForwardTarget.address], update={ForwardTarget.confirmed: now()}
    ).execute()


def remove(user: User, address: str) -> bool:
    """Forget an address; the script is another matter. False where there was none."""
    mine = (ForwardTarget.user == user) & (ForwardTarget.address == address)
    return bool(ForwardTarget.delete().where(mine).execute())


# --- the copy --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class KnownForwarding:
    """What the banner tells. `until`: UTC."""

    addresses: tuple[str, ...]
    until: datetime | None
    closed: tuple[str, ...] = ()  # mail that is forwarded there comes back

    def is_on(self, at: datetime) -> bool:
        return self.until is None or at < self.until


def keep(user: User, state: FilterState) -> None:
    """Make the copy as the state is. Nothing where it is so already."""
    keep_as(user, state.filters.forwarding, in_force=state.is_active and not state.filters.paused)


def keep_as(user: User, forwarding: Forwarding, *, in_force: bool = True) -> None:
    addresses = forwarding.addresses if forwarding.on and in_force else ()
    until = forwarding.until.astimezone(UTC).strftime(_PATTERN) if forwarding.until else ""
    copy, shut = f"{until}/{' '.join(addresses)}" if addresses else "", tuple(sorted(closed(addresses)))
    before = preferences.for_user(user)
    if (before.forwarding, before.forwarding_closed) == (copy, shut) and _is_kept(user, addresses, keep=forwarding.keep):
        return
    with db.atomic():
        preferences.change(user, forwarding=copy, forwarding_closed=shut)
        _write(user, addresses, forwarding)


def note_closed() -> None:
    """Note for the banners to which accounts that are closed mail is forwarded now, and to which no longer. For the worker, and
    for who closes one. 3 queries for each 500 people who forward."""
    to: Any = ForwardTarget.select(ForwardTarget.user, ForwardTarget.address).where(ForwardTarget.active)
    by_owner: dict[int, set[str]] = defaultdict(set)
    for owner, address in to.tuples():
        by_owner[owner].add(str(address))
    asked = sorted(set().union(*by_owner.values()))
    found = set().union(*(closed(asked[start : start + _CHUNK]) for start in range(0, len(asked), _CHUNK)))
    owners = sorted(by_owner)
    for start in range(0, len(owners), _CHUNK):
        for user in User.select().where(User.id.in_(owners[start : start + _CHUNK])):
            shut = tuple(sorted(one for one in by_owner[user.id] if one in found))
            if preferences.for_user(user).forwarding_closed != shut:
                preferences.change(user, forwarding_closed=shut)


def parse_copy(copy: str, closed: Sequence[str] = ()) -> KnownForwarding | None:
    """What the preferences say; None for nothing."""
    until, _slash, addresses = copy.partition("/")
    if not addresses:
        return None
    end = datetime.strptime(until, _PATTERN).replace(tzinfo=UTC) if until else None
    mine = tuple(addresses.split(" "))
    return KnownForwarding(mine, end, tuple(one for one in mine if one in closed))


def _is_kept(user: User, addresses: Iterable[str], *, keep: bool) -> bool:
    rows = ForwardTarget.select().where(ForwardTarget.user == user, ForwardTarget.active)
    return {(str(row.address), bool(row.keeps_copy)) for row in rows} == {(address.lower(), keep) for address in addresses}


def _write(user: User, addresses: Sequence[str], forwarding: Forwarding) -> None:
    ForwardTarget.update(active=False).where(ForwardTarget.user == user, ForwardTarget.active).execute()
    until = forwarding.until.astimezone(UTC).replace(tzinfo=None) if forwarding.until else None
    for address in addresses:
        values = {"active": True, "keeps_copy": forwarding.keep, "until": until}
        added = ForwardTarget.insert(user=user, address=address.lower(), **values)
        added.on_conflict(conflict_target=[ForwardTarget.user, ForwardTarget.address], update=values).execute()
    over = (ForwardTarget.user == user) & ~ForwardTarget.active & ForwardTarget.confirmed.is_null()
    ForwardTarget.delete().where(over).execute()  # no page shows them, and they would take up the room


# --- for administrators ----------------------------------------------------------------------------------------------


def in_force(people: Callable[[Any], Any], after: int, most: int) -> list[ForwardTarget]:
    """Where mail of these people (a condition of a column) goes now, by its number. 1 SELECT."""
    found = ForwardTarget.select().where(ForwardTarget.active, people(ForwardTarget.user), ForwardTarget.id > after)
    return list(found.order_by(ForwardTarget.id).limit(most))


def numbered(numbers: Iterable[int], people: Callable[[Any], Any]) -> list[ForwardTarget]:
    """Those of these numbers that belong to these people. 1 SELECT."""
    return list(ForwardTarget.select().where(ForwardTarget.id.in_(list(numbers)), people(ForwardTarget.user)))
