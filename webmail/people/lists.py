"""Lists: groups with an address, whose mail goes to everybody in them (deploy/postfix.sh), and who may write there.

Who looks after a group, its owners, may always write to its list.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import peewee as pw

from webmail.database.connection import db
from webmail.mime.headers.address_input import address_key
from webmail.models import GroupOwner, PeopleGroup, User
from webmail.people import reach

WRITERS = (reach.MEMBERS, reach.OWNERS, reach.INSIDE, reach.ANYBODY)
MOST_OWNERS = 50
_ADDRESS = re.compile(r"[a-z0-9_][a-z0-9._-]{0,63}@[a-z0-9.-]{1,189}")


class ListAddressTakenError(ValueError):
    """Another group has this address. The message is the address."""


class UnusableListAddressError(ValueError):
    """Not an address of the group's domain."""


def set_address(group: PeopleGroup, address: str, writers: str = reach.MEMBERS) -> str:
    """Give a group an address, "" for none; returns it. The caller asks first whether something else has it, and records it.

    Raises ListAddressTakenError, UnusableListAddressError.
    """
    address = address_key(address.strip())
    if address and not (_ADDRESS.fullmatch(address) and address.endswith(f"@{group.domain}")):
        raise UnusableListAddressError(address)
    try:
        with db.atomic():
            group.address, group.writers = address or None, writers if writers in WRITERS else reach.MEMBERS
            group.save(only=[PeopleGroup.address, PeopleGroup.writers])
    except pw.IntegrityError as error:
        raise ListAddressTakenError(address) from error
    return address


def set_owners(group: PeopleGroup, owners: Sequence[User]) -> None:
    """Who looks after a group, from now on. One transaction."""
    with db.atomic():
        GroupOwner.delete().where(GroupOwner.group == group).execute()
        rows = [{"group": group, "user": user} for user in owners[:MOST_OWNERS]]
        if rows:
            GroupOwner.insert_many(rows).execute()


def owners_of(group: PeopleGroup) -> list[User]:
    """1 query."""
    rows = GroupOwner.select(GroupOwner, User).join(User).where(GroupOwner.group == group).order_by(User.address)
    return [row.user for row in rows]


def is_list(address: str) -> bool:
    """1 query."""
    return bool(PeopleGroup.select().where(PeopleGroup.address == address_key(address)).exists())


def all_addresses() -> set[str]:
    """1 query."""
    rows: Any = PeopleGroup.select(PeopleGroup.address).where(PeopleGroup.address.is_null(False)).tuples()
    return {address for (address,) in rows if address}


def by_address(addresses: Sequence[str]) -> dict[str, PeopleGroup]:
    """The groups that have these addresses. 1 query."""
    rows: Any = PeopleGroup.select().where(PeopleGroup.address.in_([address_key(one) for one in addresses][:1000]))
    return {group.address: group for group in rows}
