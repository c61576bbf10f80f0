"""Address owners: which accounts have these addresses, as their own or as ones that the administrator allows them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import reduce
from operator import and_
from typing import Any, NamedTuple

from webmail.models import AllowedAddress, User


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
