"""Changes of groups by administrators: people found by what was pasted, and how a deletion or a removal is undone."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from webmail.auth import account_management, address_owners
from webmail.auth.recovery import deputies
from webmail.calendar.rooms import resources
from webmail.database import undo_store
from webmail.database.connection import db
from webmail.mime.headers.address_input import address_key
from webmail.models import PeopleGroup, User
from webmail.people import groups, lists
from webmail.people.listing import group_pages

MOST_PASTED = 5000
_OPENING = '{"group"'
_CHUNK = 400


class Pasted(NamedTuple):
    """Who was found by what was pasted, and what nobody is called."""

    people: list[User]
    unknown: list[str]


class AddressInUseError(ValueError):
    """An account, an alias, a room or another group has this address."""


def pasted(text: str, domain: str, is_mine: Callable[[User], bool] = lambda _user: True) -> Pasted:
    """The accounts of a domain, of which `is_mine` is true, that a text names, an address or a user name each, between spaces,
    commas or lines: as one copies them from a table or a message ("Ann Roy <ann@x>"). 1 query for 400."""
    words = [found for word in re.split(r"[\s,;]+", text) if (found := word.strip("<>\"'()"))]
    typed = list(dict.fromkeys(words))[:MOST_PASTED]
    named = [one for one in typed if "@" in one] or typed  # where there are addresses, the other words are names beside them
    wanted = {address_key(one if "@" in one else f"{one}@{domain}"): one for one in named}
    keys, found = list(wanted), dict[str, User]()
    for at in range(0, len(keys), _CHUNK):
        found |= {user.address: user for user in address_owners.accounts_of(keys[at : at + _CHUNK])}
    people = [user for user in found.values() if user.domain == domain and is_mine(user)]
    known = {user.address for user in people}
    return Pasted(people, [shown for key, shown in wanted.items() if key not in known])


def give_address(group: PeopleGroup, address: str, writers: str) -> None:
    """Raises AddressInUseError, lists.UnusableListAddressError."""
    address = address_key(address.strip())
    taken = account_management.is_owned(address) or resources.is_room(address) or account_management.rests_until(address)
    if address and address != group.address and taken:
        raise AddressInUseError(address)
    try:
        lists.set_address(group, address, writers)
    except lists.ListAddressTakenError as error:
        raise AddressInUseError(address) from error


def delete(user: User, group: PeopleGroup) -> str:
    """Delete a group; returns the name to undo it by. One transaction."""
    with db.atomic():
        steps = {"group": group_pages.state_of(group), "deputies": [one.id for one in deputies.of_group(group)]}
        kept = undo_store.keep(user, json.dumps(steps, ensure_ascii=False))
        groups.delete(group)
    return kept


def remove(user: User, group: PeopleGroup, people: Sequence[User]) -> str:
    """Take people out; returns the name to undo it by. One transaction."""
    with db.atomic():
        steps = {"group": group.id, "people": [one.id for one in people]}
        kept = undo_store.keep(user, json.dumps(steps))
        groups.remove(group, people)
    return kept


def undo(user: User, name: str, domains: frozenset[str] | None) -> PeopleGroup | None:
    """What `delete` or `remove` stored; None if it expired, was undone, or can't be any more."""
    row = undo_store.take(user, name, _OPENING)
    if row is None:
        return None
    steps = json.loads(row.steps)
    if isinstance(steps["group"], dict):
        inside = domains is None or steps["group"]["columns"]["domain"] in domains
        group = group_pages.restore(steps["group"]) if inside else None
        if group is not None:
            deputies.set_for(group, address_owners.accounts_numbered(steps.get("deputies", [])))
        return group
    group = group_pages.found(steps["group"], domains)
    if group is not None:
        groups.add(group, [one for one in address_owners.accounts_numbered(steps["people"]) if one.domain == group.domain])
    return group
