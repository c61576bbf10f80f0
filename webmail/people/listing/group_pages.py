"""Groups as administrators see them: page by page, searched; who changes one that somebody else changed meanwhile is told."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

import peewee as pw

from webmail.database.connection import db
from webmail.mime.headers.encoded_words import words_in
from webmail.models import GroupMember, GroupOwner, PeopleGroup, User
from webmail.people import groups, policies

PAGE = 50


class GroupChangedElsewhereError(Exception):
    """Somebody else changed the group since the form was shown."""


class GroupRow(NamedTuple):
    group: PeopleGroup
    size: int


class Page(NamedTuple):
    rows: list[Any]
    total: int
    number: int
    last: int


def listed(domains: Collection[str] | None, query: str, number: int) -> Page:
    """A page of groups with how many are in each; of these domains, None: of all. 3 queries."""
    where = [] if domains is None else [PeopleGroup.domain.in_(sorted(domains))]
    where += groups.called(query)
    total = PeopleGroup.select().where(*where).count() if where else PeopleGroup.select().count()
    last = max((total - 1) // PAGE, 0) + 1
    number = min(max(number, 1), last)
    ordered = PeopleGroup.select().order_by(PeopleGroup.sort, PeopleGroup.domain).paginate(number, PAGE)
    rows = list(ordered.where(*where) if where else ordered)
    counted: Any = GroupMember.select(GroupMember.group, pw.fn.COUNT(GroupMember.id)).group_by(GroupMember.group)
    sizes = dict(counted.where(GroupMember.group.in_([one.id for one in rows])).tuples())
    return Page([GroupRow(one, sizes.get(one.id, 0)) for one in rows], total, number, last)


def found(number: int, domains: Collection[str] | None) -> PeopleGroup | None:
    """A group by `id`, if it is in one of these domains. 1 query."""
    group: PeopleGroup | None = PeopleGroup.get_or_none(PeopleGroup.id == number)
    return group if group is not None and (domains is None or group.domain in domains) else None


def members(group: PeopleGroup, query: str, number: int) -> Page:
    """A page of who is in a group, with who put them there. 2 queries."""
    rows = GroupMember.select(GroupMember, User).join(User).where(GroupMember.group == group)
    for word in words_in(query)[:5]:
        rows = rows.where(User.address.contains(word) | User.name.contains(word))
    total = rows.count()
    last = max((total - 1) // PAGE, 0) + 1
    number = min(max(number, 1), last)
    return Page(list(rows.order_by(User.name, User.address).paginate(number, PAGE)), total, number, last)


def by_hand(group: PeopleGroup, numbers: Collection[int]) -> set[int]:
    """Those of these people (accounts by `id`) whom no provider put into the group. 1 query for 400."""
    wanted, there = sorted(numbers), set[int]()
    for at in range(0, len(wanted), 400):
        rows: Any = GroupMember.select(GroupMember.user).where(GroupMember.group == group, GroupMember.provider == "")
        there |= {number for (number,) in rows.where(GroupMember.user.in_(wanted[at : at + 400])).tuples()}
    return there


def by_names(domains: Collection[str] | None, names: Collection[str]) -> tuple[list[PeopleGroup], list[str]]:
    """The groups of these names, and the names that none has. 1 query."""
    wanted = {groups.sort_key(one): one for one in names}
    where = [PeopleGroup.sort.in_(list(wanted)[:500])]
    where += [] if domains is None else [PeopleGroup.domain.in_(sorted(domains))]
    there = list(PeopleGroup.select().where(*where).order_by(PeopleGroup.sort))
    known = {one.sort for one in there}
    return there, [name for key, name in wanted.items() if key not in known]


def names_of(identifiers: Collection[str]) -> list[str]:
    """The names of the groups with these identifiers, sorted. 1 query, none for none."""
    if not identifiers:
        return []
    rows = PeopleGroup.select().where(PeopleGroup.identifier.in_(list(identifiers))).order_by(PeopleGroup.sort)
    return [one.name for one in rows]


def begin_change(group: PeopleGroup, version: int) -> None:
    """Begin a change of what was shown at this version. In a transaction. Raises GroupChangedElsewhereError."""
    same = (PeopleGroup.id == group.id) & (pw.fn.COALESCE(PeopleGroup.version, 0) == version)
    if not PeopleGroup.update(version=version + 1).where(same).execute():
        raise GroupChangedElsewhereError(group.name)
    group.version = version + 1


def state_of(group: PeopleGroup) -> dict[str, Any]:
    """All that makes a group, to make it again: as JSON takes it. 2 queries."""
    people: Any = GroupMember.select(GroupMember.user, GroupMember.provider).where(GroupMember.group == group).tuples()
    owners: Any = GroupOwner.select(GroupOwner.user).where(GroupOwner.group == group).tuples()
    columns = ("identifier", "name", "sort", "domain", "address", "writers", "policy")
    return {
        "columns": {name: getattr(group, name) for name in columns},
        "people": [list(one) for one in people],
        "owners": [number for (number,) in owners],
    }


def restore(state: dict[str, Any]) -> PeopleGroup | None:
    """A group as it was, without those who are gone; None where another one has its name or address by now. One transaction."""
    people = dict(state["people"])
    try:
        with db.atomic():
            group = PeopleGroup.create(**state["columns"])
            rows: Any = policies.existing([*people, *state["owners"]])
            members = [{"group": group, "user": one, "provider": people[one]} for one in people if one in rows]
            for at in range(0, len(members), 300):
                GroupMember.insert_many(members[at : at + 300]).execute()
            for owner in (one for one in state["owners"] if one in rows):
                GroupOwner.create(group=group, user=owner)
            policies.refresh(people)
    except pw.IntegrityError:
        return None
    return group
