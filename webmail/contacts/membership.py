"""Membership: the people in groups of contacts, those in groups inside them too, each once, however groups contain each other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import peewee as pw

from webmail.contacts import book_access
from webmail.mail import Address
from webmail.mime.headers.address_input import address_key
from webmail.models import Contact, ContactMember, User

MOST_PEOPLE = 10_000  # members of all groups that are asked for together
_DEEPEST = 20  # groups inside groups: one round of questions each
_CHUNK = 500

People = dict[str, Address]  # by the address, normalised for comparison


@dataclass(slots=True)
class _Inside:
    """What stands in one group: people, contacts without an address, and groups (by `id`)."""

    people: People = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)
    groups: list[int] = field(default_factory=list)


def people_of(user: User, groups: Iterable[int]) -> dict[int, People]:
    """The people with an address in each of these groups (by `id`) and in the groups inside them.

    A group is told with all its people or not at all: not if it is too large or too deep. 1 query for each level.
    """
    roots = list(groups)
    inside, whole = _inside(user, roots)
    found: dict[int, People] = {}
    for root in roots:
        reached = _reached(root, inside)
        if reached <= whole:
            people: People = {}
            for number in reached.order:
                for key, address in inside[number].people.items():
                    people.setdefault(key, address)
            found[root] = people
    return found


def sizes(user: User, groups: Iterable[int]) -> dict[int, int]:
    """How many people each of these groups (by `id`) holds, with those of the groups inside it, whether they have an address or
    not. 1 query for each level."""
    roots = list(groups)
    inside, _whole = _inside(user, roots)
    counts = {}
    for root in roots:
        reached = _reached(root, inside).order
        people = {key for number in reached for key in inside[number].people}
        counts[root] = len(people) + len({uid for number in reached for uid in inside[number].silent})
    return counts


class _Reached(set[int]):
    """Groups that are reached from one, `order`: each as it was met."""

    def __init__(self) -> None:
        super().__init__()
        self.order: list[int] = []

    def meet(self, number: int) -> None:
        self.add(number)
        self.order.append(number)


def _reached(root: int, inside: dict[int, _Inside]) -> _Reached:
    met = _Reached()
    waiting = [root]
    while waiting:
        number = waiting.pop()
        if number not in met:
            met.meet(number)
            waiting += reversed(inside[number].groups if number in inside else [])
            inside.setdefault(number, _Inside())
    return met


def _inside(user: User, roots: Iterable[int]) -> tuple[dict[int, _Inside], set[int]]:
    """What stands in these groups and in those inside them, and the groups of which all is known."""
    inside: dict[int, _Inside] = {}
    whole: set[int] = set()
    level, room = list(dict.fromkeys(roots)), MOST_PEOPLE
    for _round in range(_DEEPEST):
        below: dict[int, None] = {}
        for at in range(0, len(level), _CHUNK):
            rows, more = _members(user, level[at : at + _CHUNK], room + 1)
            room -= len(rows)
            for number in level[at : at + _CHUNK]:
                inside.setdefault(number, _Inside())
            for row in rows:
                _take(inside[row[0]], row, below)
            last = rows[-1][0] if rows else 0  # rows come by group: of those behind the last one nothing is known
            whole |= {number for number in level[at : at + _CHUNK] if not more or number < last}
        level = [number for number in below if number not in inside]
        if not level or room <= 0:
            break
    return inside, whole


def _members(user: User, groups: list[int], most: int) -> tuple[list[Any], bool]:
    """The members of these groups, and whether there may be more of the last one and those behind it.

    They are looked for among the contacts of the group's owner alone: nobody else can put people into a group by giving a card of
    a book that they share the UID of a member. In several books, that of the group comes first; `most` counts all of them.
    """
    person, group = Contact.alias(), Contact.alias()
    same = (person.card_uid == ContactMember.member) & (person.user == group.user) & book_access.visible(user, person)
    elsewhere = pw.Case(None, [(person.collection == group.collection, 0)], 1)
    found: Any = (
        ContactMember.select(
            ContactMember.group, ContactMember.member, person.id, person.name, person.email, person.kind, ContactMember.id
        )
        .join(group, on=ContactMember.group == group.id)
        .join(person, pw.JOIN.LEFT_OUTER, on=same)
        .where(ContactMember.group.in_(groups))
        .order_by(ContactMember.group, ContactMember.id, elsewhere, person.id)
        .limit(max(most, 0))
        .tuples()
    )
    rows = list(found)
    return list({row[-1]: row[:-1] for row in reversed(rows)}.values())[::-1], len(rows) >= most


def _take(inside: _Inside, row: Any, below: dict[int, None]) -> None:
    _group, member, number, name, email, kind = row
    if kind == "group":
        inside.groups.append(number)
        below[number] = None
    elif email:
        inside.people.setdefault(address_key(email), Address(name or "", email))
    elif member.startswith("mailto:"):
        address = member.removeprefix("mailto:")
        inside.people.setdefault(address_key(address), Address("", address))
    elif number is not None:
        inside.silent.add(member)
