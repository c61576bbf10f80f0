"""Memberships: the groups of many people at once, by their names, for files of people and the school year."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from webmail.collections import group_losses
from webmail.database.pieces import chunks
from webmail.mime.headers.encoded_words import sort_key
from webmail.models import GroupMember, PeopleGroup
from webmail.people import groups


@dataclass(frozen=True, slots=True)
class Membership:
    """A group that somebody is in. `provider`: who put them there, "" for an administrator."""

    group: int
    name: str
    provider: str


def of_people(numbers: Collection[int]) -> dict[int, list[Membership]]:
    """The groups of people by their numbers. 1 query for 400."""
    found: dict[int, list[Membership]] = {}
    for piece in chunks(numbers):
        rows: Any = GroupMember.select(GroupMember.user, PeopleGroup.id, PeopleGroup.name, GroupMember.provider).join(PeopleGroup)
        for user, group, name, provider in rows.where(GroupMember.user.in_(piece)).order_by(PeopleGroup.sort).tuples():
            found.setdefault(user, []).append(Membership(group, name, provider))
    return found


def in_groups(domain: str, names: Iterable[str]) -> dict[int, set[str]]:
    """Who is in which of a domain's groups of these names: the sort keys of the names by person. 1 query for 400."""
    found: dict[int, set[str]] = {}
    for piece in chunks(map(sort_key, names)):
        rows: Any = GroupMember.select(GroupMember.user, PeopleGroup.sort).join(PeopleGroup)
        for user, sort in rows.where(PeopleGroup.domain == domain, PeopleGroup.sort.in_(piece)).tuples():
            found.setdefault(user, set()).add(sort)
    return found


def groups_of(domain: str, names: Iterable[str]) -> dict[str, PeopleGroup]:
    """A domain's groups of these names, by the sort keys of their names. 1 query for 400."""
    found: dict[str, PeopleGroup] = {}
    for piece in chunks(map(sort_key, names)):
        rows = PeopleGroup.select().where(PeopleGroup.domain == domain, PeopleGroup.sort.in_(piece))
        found.update({group.sort: group for group in rows})
    return found


def usable(name: str) -> bool:
    """Whether a group can be called so."""
    try:
        groups.check_name(name)
    except groups.UnusableGroupNameError:
        return False
    return True


def join(user: int, numbers: Iterable[int]) -> list[int]:
    """Put somebody into these groups, by hand; returns those they were not in yet. 1 query, 2 where something is new."""
    wanted = list(dict.fromkeys(numbers))
    rows: Any = GroupMember.select(GroupMember.group).where(GroupMember.user == user, GroupMember.group.in_(wanted)).tuples()
    there = {number for (number,) in rows}
    if new := [number for number in wanted if number not in there]:
        GroupMember.insert_many([{"group": number, "user": user} for number in new]).on_conflict_ignore().execute()
    return new


def leave(user: int, numbers: Iterable[int]) -> list[int]:
    """Take somebody out of these groups, where an administrator put them there; returns which they were in. At most 4 queries."""
    mine = (GroupMember.user == user) & GroupMember.group.in_(list(numbers)) & (GroupMember.provider == "")
    rows: Any = GroupMember.select(GroupMember.group).where(mine).tuples()
    if gone := [number for (number,) in rows]:
        group_losses.left(gone, [user])
        GroupMember.delete().where(mine).execute()
    return gone


def existing(numbers: Iterable[int]) -> set[int]:
    """Which of these groups are still there. 1 query."""
    rows: Any = PeopleGroup.select(PeopleGroup.id).where(PeopleGroup.id.in_(list(numbers))).tuples()
    return {number for (number,) in rows}


def empty_group(number: int) -> PeopleGroup | None:
    """The group of this number, if it is there and nobody is in it. At most 2 queries."""
    if GroupMember.select(GroupMember.id).where(GroupMember.group == number).exists():
        return None
    found: PeopleGroup | None = PeopleGroup.get_or_none(PeopleGroup.id == number)
    return found
