"""Groups: people of one domain under a name ("4e B", "Maths"), for sharing folders and for writing to all of them.

Administrators make them; Dovecot reads the same tables, and everybody in a group has its rights in shared folders.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import peewee as pw

from webmail.collections import group_losses
from webmail.database.connection import db
from webmail.database.prepared import Prepared
from webmail.mail import Address
from webmail.mime.headers.encoded_words import fold, sort_key, words_in
from webmail.models import GroupMember, PeopleGroup, User
from webmail.people import policies

LONGEST_NAME = 100  # characters
MOST_PEOPLE = 10_000  # members of the groups that one query returns
_CHUNK = 500  # values per statement: databases limit bound parameters
_NEVER_IN_NAMES = frozenset('@,;:"<>\\')  # they would end a name, or make it an address, where recipients are typed


class UnusableGroupNameError(ValueError):
    """Empty, too long, without letters and digits, or not a name that can be typed as a recipient."""


class GroupNameTakenError(ValueError):
    """Another group of the domain has this name, or one that differs only by case, accents or punctuation."""


class NoSuchGroupError(LookupError):
    """The domain has no group of this name."""


class OutsideDomainError(ValueError):
    """Somebody of another domain can't be in the group; the message is their address."""


@dataclass(frozen=True, slots=True)
class GroupPeople:
    """A group with the people in it who have an active account."""

    identifier: str
    name: str
    people: tuple[Address, ...]


# --- administration --------------------------------------------------------------------------------------------------


def create(domain: str, name: str) -> PeopleGroup:
    """Raises UnusableGroupNameError, GroupNameTakenError."""
    name = check_name(name)
    values = {"identifier": _new_identifier(domain, name), "name": name, "sort": sort_key(name), "domain": domain}
    try:
        with db.atomic():
            return PeopleGroup.create(**values)
    except pw.IntegrityError as error:
        raise GroupNameTakenError(name) from error


def find(domain: str, name: str) -> PeopleGroup:
    """The domain's group of this name, in any case, with or without accents. Raises NoSuchGroupError."""
    found = PeopleGroup.get_or_none(PeopleGroup.domain == domain, PeopleGroup.sort == sort_key(name))
    if found is None:
        raise NoSuchGroupError(name)
    return found


def rename(group: PeopleGroup, name: str) -> None:
    """Folders that are shared with the group stay so. Raises UnusableGroupNameError, GroupNameTakenError."""
    group.name = check_name(name)
    group.sort = sort_key(group.name)
    try:
        with db.atomic():
            group.save(only=[PeopleGroup.name, PeopleGroup.sort])
    except pw.IntegrityError as error:
        raise GroupNameTakenError(name) from error


def delete(group: PeopleGroup) -> None:
    """Its people lose what was shared with the group; a new group of the same name does not get it."""
    with db.atomic():
        group_losses.deleted(group)
        people = _numbers(group)
        group.delete_instance()
        policies.refresh(people)


def add(group: PeopleGroup, people: Sequence[User]) -> int:
    """Put people into the group; returns how many were not in it yet. Raises OutsideDomainError, and adds nobody then."""
    if stranger := next((user.address for user in people if user.domain != group.domain), ""):
        raise OutsideDomainError(stranger)
    with db.atomic():
        before = _size(group)
        for at in range(0, len(people), _CHUNK):
            rows = [{"group": group, "user": user} for user in people[at : at + _CHUNK]]
            GroupMember.insert_many(rows).on_conflict_ignore().execute()
        policies.refresh(user.id for user in people)
        return _size(group) - before


def remove(group: PeopleGroup, people: Sequence[User]) -> int:
    """Take people out of the group; returns how many were in it."""
    numbers = [user.id for user in people]
    chunks = (numbers[at : at + _CHUNK] for at in range(0, len(numbers), _CHUNK))
    with db.atomic():
        group_losses.left([group.id], numbers)
        mine = GroupMember.group == group
        gone = sum(GroupMember.delete().where(mine, GroupMember.user.in_(chunk)).execute() for chunk in chunks)
        policies.refresh(numbers)
        return gone


def leave_other_domains(user: User) -> tuple[tuple[int, str], ...]:
    """Somebody's address is in another domain now: groups are of one domain. Returns those left (by `id`), and who had put them
    there."""
    others = PeopleGroup.select(PeopleGroup.id).where(PeopleGroup.domain != user.domain)
    rows: Any = GroupMember.select(GroupMember.group, GroupMember.provider).where(
        GroupMember.user == user, GroupMember.group.in_(others)
    )
    left = tuple((int(number), str(provider)) for number, provider in rows.tuples())
    numbers = [number for number, _provider in left]
    if numbers:
        group_losses.left(numbers, [user.id])
        GroupMember.delete().where(GroupMember.user == user, GroupMember.group.in_(numbers)).execute()
        policies.refresh([user.id])
    return left


def join_again(user: User, numbers: Iterable[int], provider: str) -> None:
    """Put somebody back into those of these groups (by `id`) that are still there, in the domain of their address."""
    rows: Any = PeopleGroup.select(PeopleGroup.id).where(PeopleGroup.id.in_(list(numbers)), PeopleGroup.domain == user.domain)
    there = [number for (number,) in rows.tuples()]
    if there:
        join(user, there, provider)


def of_provider(user: User, provider: str) -> set[int]:
    """The groups (by `id`) that this provider put somebody into."""
    rows: Any = GroupMember.select(GroupMember.group).where(GroupMember.user == user, GroupMember.provider == provider).tuples()
    return {number for (number,) in rows}


def leave(user: User, numbers: Iterable[int], provider: str) -> None:
    """Take somebody out of these groups (by `id`), where this provider put them."""
    gone = list(numbers)
    group_losses.left(gone, [user.id])
    put = (GroupMember.user == user) & (GroupMember.provider == provider)
    GroupMember.delete().where(put, GroupMember.group.in_(gone)).execute()
    policies.refresh([user.id])


def join(user: User, numbers: Iterable[int], provider: str) -> None:
    """Put somebody into these groups (by `id`), for this provider."""
    added = [{"group": number, "user": user, "provider": provider} for number in sorted(numbers)]
    GroupMember.insert_many(added).on_conflict_ignore().execute()
    policies.refresh([user.id])


def _numbers(group: PeopleGroup) -> list[int]:
    rows: Any = GroupMember.select(GroupMember.user).where(GroupMember.group == group).tuples()
    return [number for (number,) in rows]


def _size(group: PeopleGroup) -> int:
    return GroupMember.select().where(GroupMember.group == group).count()


def check_name(name: str) -> str:
    """The name as it is kept. Raises UnusableGroupNameError."""
    name = " ".join(name.split())
    if len(name) > LONGEST_NAME or not name.isprintable() or not words_in(name) or _NEVER_IN_NAMES & set(name):
        raise UnusableGroupNameError(name)
    return name


def _new_identifier(domain: str, name: str) -> str:
    """The group's name in access lists: "maths.x3b9k2p7q4@lycee.example".

    Readable for administrators; random, since rights given to a group that was deleted may still stand in folders. No domain
    has an @, so it can't be taken for the group of everybody in a domain; Dovecot gets it in a list separated by commas.
    """
    word = re.sub(r"[^a-z0-9]+", "-", fold(name)).strip("-")[:40] or "group"
    random = "".join(secrets.choice("abcdefghjkmnpqrstuvwxyz23456789") for _ in range(10))
    place = re.sub(r"[^\w.-]", "-", domain)
    return f"{word}.{random}@{place}"


# --- finding ---------------------------------------------------------------------------------------------------------


def listed(domain: str) -> list[tuple[PeopleGroup, int]]:
    """The domain's groups with the number of their people, whether active or not, sorted by name. 1 query."""
    size = pw.fn.COUNT(GroupMember.id)
    found: Any = PeopleGroup.select(PeopleGroup, size.alias("size")).join(GroupMember, pw.JOIN.LEFT_OUTER)
    found = found.where(PeopleGroup.domain == domain).group_by(PeopleGroup.id).order_by(PeopleGroup.sort)
    return [(group, group.size) for group in found]


def members(group: PeopleGroup) -> list[User]:
    """Everybody in the group, whether active or not, sorted by address. 1 query."""
    return list(User.select().join(GroupMember).where(GroupMember.group == group).order_by(User.address))


_names = Prepared(
    lambda slot: (
        PeopleGroup.select(PeopleGroup.identifier, PeopleGroup.name)
        .where(PeopleGroup.domain == slot("domain"))
        .order_by(PeopleGroup.sort)
    )
)
_of_person = Prepared(
    lambda slot: (
        PeopleGroup.select().join(GroupMember).where(GroupMember.user == slot("user")).order_by(PeopleGroup.sort)
    )
)  # fmt: skip


def names(domain: str) -> dict[str, str]:
    """The names of the domain's groups by identifier, sorted. 1 query."""
    return {group.identifier: group.name for group in _names(domain=domain)}


def of_person(user: User) -> list[PeopleGroup]:
    """The groups that a person is in, sorted by name. 1 query."""
    return _of_person(user=user.id)


def identifiers(numbers: Iterable[int]) -> set[str]:
    """The identifiers of these groups (by `id`). 1 query."""
    found: Any = PeopleGroup.select(PeopleGroup.identifier).where(PeopleGroup.id.in_(list(numbers))).tuples()
    return {identifier for (identifier,) in found}


def addresses(identifier: str) -> list[str]:
    """The addresses of the people in a group who have an active account. 1 query."""
    found: Any = User.select(User.address).join(GroupMember).join(PeopleGroup)
    found = found.where(PeopleGroup.identifier == identifier, User.active == 1).order_by(User.address)
    return [address for (address,) in found.tuples()]


# --- as recipients ---------------------------------------------------------------------------------------------------


def in_any_called(text: str, domains: Sequence[str] | None) -> Any:
    """A query of who is in a group of this name, in these domains (None: in any)."""
    groups = PeopleGroup.select(PeopleGroup.id).where(PeopleGroup.sort == sort_key(text))
    if domains is not None:
        groups = groups.where(PeopleGroup.domain.in_(domains))
    return GroupMember.select(GroupMember.user).where(GroupMember.group.in_(groups))


def called(text: str) -> list[Any]:
    """Conditions for groups of whose names each of the words starts a word; none for no words."""
    return [(PeopleGroup.sort.startswith(word)) | (PeopleGroup.sort.contains(f" {word}")) for word in words_in(text)[:10]]


def matching(domain: str, text: str, seen: Sequence[Any] = (), most: int = 0) -> list[GroupPeople]:
    """The domain's groups of whose names each of the words starts a word; all of them for no words. 1 query.

    `seen`, here and below: conditions for the groups that somebody sees (`Sight.listed_groups`). At most `most`, unless it is 0.
    """
    conditions = [*called(text), *seen]
    if most:  # with somebody in them, or the first might all be empty
        inside = PeopleGroup.id.in_(GroupMember.select(GroupMember.group).join(User).where(User.active == 1))
        first = PeopleGroup.select(PeopleGroup.id).where(PeopleGroup.domain == domain, inside, *conditions)
        conditions = [PeopleGroup.id.in_(first.order_by(PeopleGroup.sort).limit(most))]
    return _with_people(domain, conditions)


def named(domain: str, names: Iterable[str], seen: Sequence[Any] = ()) -> list[GroupPeople]:
    """The domain's groups of these names, at most 100; none for a name that is also somebody's user name. 2 queries."""
    asked = list(names)[:100]
    users: Any = User.select(User.local).where(User.domain == domain, User.local.in_([name.lower() for name in asked])).tuples()
    taken = {local for (local,) in users}
    wanted = [sort_key(name) for name in asked if name.lower() not in taken]
    return _with_people(domain, [PeopleGroup.sort.in_(wanted), *seen])


def identified(domain: str, identifiers: Iterable[str], seen: Sequence[Any] = ()) -> list[GroupPeople]:
    """The domain's groups with these identifiers, at most 200. 1 query."""
    return _with_people(domain, [PeopleGroup.identifier.in_(list(identifiers)[:200]), *seen])


def _with_people(domain: str, conditions: Sequence[Any]) -> list[GroupPeople]:
    """Groups with somebody in them, sorted by name, up to MOST_PEOPLE people in total; no group is cut short."""
    found: Any = (
        PeopleGroup.select(PeopleGroup.identifier, PeopleGroup.name, User.name, User.address)
        .join(GroupMember)
        .join(User)
        .where(PeopleGroup.domain == domain, User.active == 1, *conditions)
        .order_by(PeopleGroup.sort, User.name, User.address)
        .limit(MOST_PEOPLE + 1)
        .tuples()
    )
    inside: dict[tuple[str, str], list[Address]] = {}
    for identifier, name, person, address in found:
        inside.setdefault((identifier, name), []).append(Address(person, address))
    if sum(map(len, inside.values())) > MOST_PEOPLE:
        inside.popitem()  # cut off in the middle
    return [GroupPeople(identifier, name, tuple(people)) for (identifier, name), people in inside.items()]


def of_number(number: int, domains: Iterable[str] | None) -> PeopleGroup | None:
    """A group by its `id`, if it is of one of these domains; None: of any. 1 query."""
    where = [] if domains is None else [PeopleGroup.domain.in_(sorted(domains))]
    found: PeopleGroup | None = PeopleGroup.get_or_none(PeopleGroup.id == number, *where)
    return found


def existing(identifiers: Iterable[str]) -> set[str]:
    """Those of these that groups have today. 1 query."""
    rows: Any = PeopleGroup.select(PeopleGroup.identifier).where(PeopleGroup.identifier.in_(list(identifiers))).tuples()
    return {identifier for (identifier,) in rows}


def of_addresses(addresses: Iterable[str]) -> dict[str, tuple[int, frozenset[int]]]:
    """The account and its groups (by `id`) of those of these addresses (normalised) that are in any. 1 query for 400."""
    wanted, found = sorted(set(addresses)), dict[str, tuple[int, frozenset[int]]]()
    for at in range(0, len(wanted), _CHUNK):
        rows: Any = GroupMember.select(User.address, User.id, GroupMember.group).join(User)
        for address, number, group in rows.where(User.address.in_(wanted[at : at + _CHUNK]), User.active == 1).tuples():
            found[address] = (number, (found[address][1] if address in found else frozenset()) | {group})
    return found


def numbers_of(user: User) -> frozenset[int]:
    """The groups (by `id`) that somebody is in. 1 query."""
    rows: Any = GroupMember.select(GroupMember.group).where(GroupMember.user == user).tuples()
    return frozenset(number for (number,) in rows)
