"""Listed people: the establishment's directory as its pages show it: people, groups and addresses that somebody sees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import peewee as pw

from webmail.mail import Address
from webmail.mime.headers.shown_address import readable_address
from webmail.models import GroupMember, PeopleGroup, User
from webmail.people import groups as people_groups
from webmail.people.groups import GroupPeople
from webmail.people.suggestions import account_rows
from webmail.people.suggestions.search_rows import fitting, typed_words
from webmail.people.visibility import Sight

MOST_GROUPS = 200


@dataclass(frozen=True, slots=True)
class ListedPerson:
    name: str
    email: str  # lower case
    shown: str
    groups: tuple[tuple[str, str], ...] = ()  # (identifier, name) of those that are seen
    about: str = ""  # of an address that no account has


@dataclass(frozen=True, slots=True)
class ListedGroup:
    identifier: str
    name: str
    size: int  # people with an active account


def people(sight: Sight, text: str, start: int, most: int) -> tuple[list[ListedPerson], int]:
    """Some of those who match the words, sorted by name; and how many there are. 3 queries, 4 if accounts have changed, and
    1 or 2 more without words."""
    wanted = typed_words(text)
    if not wanted and (total := account_rows.count_of_many(sight)):
        rows = account_rows.part(sight, start, most)
        return with_groups(sight, [Address(row.name, row.address) for row in rows]), total
    found = sorted((row for _fit, row in fitting(account_rows.candidates(sight, wanted), wanted)), key=lambda row: row.named)
    some = found[start : start + most]
    return with_groups(sight, [Address(row.name, row.address) for row in some]), len(found)


def with_groups(sight: Sight, requested: Sequence[Address]) -> list[ListedPerson]:
    """Those of these accounts that are seen, with their groups. 2 queries."""
    names = account_rows.checked(sight, [one.email for one in requested]) if requested and not sight.nobody else {}
    inside: dict[str, list[tuple[str, str]]] = {}
    if names:
        rows: Any = PeopleGroup.select(User.address, PeopleGroup.identifier, PeopleGroup.name).join(GroupMember).join(User)
        rows = rows.where(User.address.in_(list(names)), *sight.listed_groups()).order_by(PeopleGroup.sort)
        for address, identifier, name in rows.tuples():
            inside.setdefault(address, []).append((identifier, name))
    return [
        ListedPerson(names[one.email] or one.email, one.email, readable_address(one.email), tuple(inside.get(one.email, ())))
        for one in requested
        if one.email in names
    ]


def person(sight: Sight, address: str) -> ListedPerson | None:
    """Who has this address in the directory, if they are seen: an account, or a listed address. At most 2 queries."""
    address = address.lower()
    if found := with_groups(sight, [Address("", address)]):
        return found[0]
    return next((one for one in addresses(sight, "") if one.email == address), None)


def addresses(sight: Sight, text: str) -> list[ListedPerson]:
    """Functional mailboxes and lists that match the words, sorted by name. No query."""
    rows = [(account_rows.row_of(one.name, one.address.lower()), one) for one in sight.addresses]
    fits = {id(row) for _fit, row in fitting([row for row, _one in rows], typed_words(text))}
    found = [ListedPerson(one.name, row.address, row.shown, about=one.about) for row, one in rows if id(row) in fits]
    return sorted(found, key=lambda one: one.name.casefold())


def groups(sight: Sight, text: str) -> list[ListedGroup]:
    """Groups with somebody in them that one may write to, sorted by name, at most MOST_GROUPS. 1 query."""
    size = pw.fn.COUNT(User.id)
    found: Any = PeopleGroup.select(PeopleGroup.identifier, PeopleGroup.name, size).join(GroupMember).join(User)
    found = found.where(User.active == 1, *sight.listed_groups(), *people_groups.called(text))
    found = found.group_by(PeopleGroup.id).order_by(PeopleGroup.sort).limit(MOST_GROUPS)
    return [ListedGroup(*row) for row in found.tuples()]


def group(sight: Sight, domain: str, identifier: str) -> GroupPeople | None:
    """A group that one may write to. 1 query."""
    return next(iter(people_groups.identified(domain, [identifier], sight.listed_groups())), None)
