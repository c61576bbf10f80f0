"""Address owners: which accounts have these addresses, as their own or as ones that the administrator allows them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from functools import reduce
from operator import and_, or_
from typing import Any, NamedTuple

from webmail.models import AllowedAddress, User

_CHUNK = 400


class AddressOwner(NamedTuple):
    """A person by their account's `id`, and all their addresses."""

    number: int
    name: str
    address: str
    addresses: frozenset[str]
    preferences: str


def owners_of(addresses: Iterable[str], user: User, conditions: Sequence[Any]) -> dict[str, AddressOwner]:
    """Who has these addresses (normalised), by address: `user`, and people for whom these conditions of `User` hold. One
    that several people may write as is nobody's. 2 queries."""
    wanted = list(dict.fromkeys(addresses))
    seen = User.id == user.id
    if conditions:
        seen |= reduce(and_, conditions)
    others = AllowedAddress.select(AllowedAddress.user).where(AllowedAddress.address.in_(wanted))
    rows: Any = User.select(User.id, User.name, User.address, User.preferences)
    rows = list(rows.where(seen, User.address.in_(wanted) | User.id.in_(others)).tuples())
    allowed: Any = AllowedAddress.select(AllowedAddress.user, AllowedAddress.address)
    more: dict[int, list[str]] = {}
    for number, address in allowed.where(AllowedAddress.user.in_([row[0] for row in rows])).tuples() if rows else ():
        more.setdefault(number, []).append(address)
    owners = [
        AddressOwner(number, name, address, frozenset([address, *more.get(number, ())]), chosen or "")
        for number, name, address, chosen in rows
    ]
    times = Counter(address for one in owners for address in one.addresses)
    shared = {address: one for one in owners for address in one.addresses if times[address] == 1}
    return shared | {one.address: one for one in owners}


def account_of(address: str) -> User | None:
    """The account with this address (in lower case) as its own. 1 query."""
    found: User | None = User.get_or_none(User.address == address, User.active == 1)
    return found


def accounts_with(choices: Iterable[str], addresses: Collection[str] | None = None) -> list[User]:
    """The accounts whose person has chosen any of these preferences, whatever they chose; of all, or of those with these
    addresses (in lower case) as their own. 1 query."""
    chose = reduce(or_, (User.preferences.contains(f'"{name}"') for name in choices))
    named = [] if addresses is None else [User.address.in_(list(addresses))]
    return list(User.select().where(User.active == 1, chose, *named))


def accounts_of(addresses: Collection[str]) -> list[User]:
    """The accounts with these addresses (in lower case) as their own. 1 query."""
    return list(User.select().where(User.active == 1, User.address.in_(list(addresses))))


def accounts_numbered(numbers: Collection[int]) -> list[User]:
    """The accounts with these numbers (`id`). 1 query for 400."""
    wanted = sorted(set(numbers))
    pieces = (wanted[at : at + _CHUNK] for at in range(0, len(wanted), _CHUNK))
    return [user for piece in pieces for user in User.select().where(User.id.in_(piece))]


def domains_of_accounts() -> list[str]:
    """Those in which there are accounts, sorted. 1 query."""
    rows: Any = User.select(User.domain).distinct().order_by(User.domain).tuples()
    return [domain for (domain,) in rows]


def numbers_of(addresses: Collection[str]) -> dict[str, int]:
    """The accounts (by `id`) that have these addresses (in lower case) as their own, by address. 1 query for 400."""
    wanted, found = sorted({one for one in addresses if one}), dict[str, int]()
    for at in range(0, len(wanted), _CHUNK):
        rows: Any = User.select(User.address, User.id).where(User.address.in_(wanted[at : at + _CHUNK]), User.active == 1)
        found.update(dict(rows.tuples()))
    return found


def readers_of(addresses: Iterable[str]) -> dict[str, int]:
    """The account (by `id`) whose person alone reads what comes for these addresses (normalised): their own, or one that they
    alone may write as. 2 queries for each 200."""
    wanted, found, others = list(dict.fromkeys(addresses)), dict[str, int](), dict[str, set[int]]()
    for at in range(0, len(wanted), 200):
        piece = wanted[at : at + 200]
        own: Any = User.select(User.address, User.id).where(User.address.in_(piece), User.active == 1)
        allowed: Any = AllowedAddress.select(AllowedAddress.address, AllowedAddress.user).join(User)
        for address, number in allowed.where(AllowedAddress.address.in_(piece), User.active == 1).tuples():
            others.setdefault(address, set()).add(number)
        found |= dict(own.tuples())
    return {address: next(iter(numbers)) for address, numbers in others.items() if len(numbers) == 1} | found


def with_account(addresses: Iterable[str]) -> set[str]:
    """Which of these addresses (normalised) reach somebody who can sign in here. 2 queries for each 200."""
    wanted, found = list(dict.fromkeys(addresses)), set[str]()
    for at in range(0, len(wanted), 200):
        piece = wanted[at : at + 200]
        own: Any = User.select(User.address).where(User.address.in_(piece), User.active == 1)
        allowed: Any = AllowedAddress.select(AllowedAddress.address).join(User)
        found |= {address for (address,) in own.tuples()}
        found |= {address for (address,) in allowed.where(AllowedAddress.address.in_(piece), User.active == 1).tuples()}
    return found
