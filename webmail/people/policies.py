"""Policies: what a group or establishment gives its people, what one has of their own, and what holds for them after all.

What a person has of their own wins; then their groups: the widest, but a second factor is required as soon as one requires it;
then their establishment. What holds is stored in the account's row whenever one of these changes (`refresh`), so that pages,
Dovecot and deploy/milter read it with the account: `for_user(user)` asks nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields, replace
from functools import lru_cache
from typing import Any

from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.establishments import establishment_policies
from webmail.models import Establishment, GroupMember, PeopleGroup, User
from webmail.people import reach

AREAS = ("calendar", "contacts", "transfers", "polls", "appointments", "todo", "api")  # that can be hidden, by their blueprint
_WITH_CALENDAR = ("todo", "polls", "appointments")  # they stand beside it
_WITH_COLLECTIONS = ("collections", "dav")  # calendars and address books, and those of other servers: where neither is shown
FORWARDING = ("off", "inside", "domains", "anywhere")  # the narrowest first
WRITES_TO = (reach.GROUPS, "own", reach.INSIDE, reach.ANYWHERE)  # the same; "own": the other groups that they are in
WRITTEN_BY = (reach.INSIDE, reach.ANYWHERE)
FILES_BY = ("here", "filesender")  # who sends large files; of several groups, FileSender wins
USUAL_QUOTA = 1024**3  # what an account has that nobody gave another
_OF_NO_ESTABLISHMENT = ("admin", "group")  # roles: who administers one changes nothing for those of all (establishments/scope.py)
_CHUNK = 400


@dataclass(frozen=True, slots=True)
class Policy:
    """Values that a group, an establishment or a person has; None where it says nothing. Numbers: 0 is without limit."""

    quota_bytes: int | None = None
    quota_messages: int | None = None
    message_bytes: int | None = None
    attachment_bytes: int | None = None
    recipients_per_hour: int | None = None
    recipients_per_day: int | None = None
    forwarding: str | None = None
    forwarding_domains: tuple[str, ...] = ()
    second_step: bool | None = None
    hidden: tuple[str, ...] | None = None  # of AREAS
    writes_to: str | None = None  # of WRITES_TO
    reach: tuple[str, ...] = ()  # identifiers of further groups
    written_by: str | None = None  # of WRITTEN_BY
    services: tuple[str, ...] | None = None  # of config/connected_services.py: what they may connect; () is nothing
    files_by: str | None = None  # of FILES_BY
    to_groups: tuple[int, ...] = ()  # in force alone: the groups (by `id`) that they may write to

    def dumps(self) -> str | None:
        """As JSON without what is not said; None if nothing is."""
        said = {name: value for name, value in asdict(self).items() if _is_said(name, value)}
        return json.dumps(said, sort_keys=True, ensure_ascii=False) if said else None


NOTHING = Policy()


def _is_said(name: str, value: Any) -> bool:
    """Of `hidden`, nothing is something too: that all areas are shown; and of `services`: that none may be connected."""
    return value is not None and (value != () or name in ("hidden", "services"))


@lru_cache(maxsize=4096)
def loads(text: str | None) -> Policy:
    if not text:
        return NOTHING
    known = {field.name for field in fields(Policy)}
    said: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in json.loads(text).items() if name in known
    }
    return Policy(**said)


def for_user(user: User) -> Policy:
    """What holds for somebody, where anything is said. 0 queries."""
    return loads(user.policy)


def own_of(user: User) -> Policy:
    """What somebody has of their own. 0 queries."""
    return loads(user.own_policy)


def own_quota(user: User) -> int | None:
    """The room that somebody was given, whatever their groups say; None: nobody gave them any. 0 queries."""
    base = user.quota_bytes if user.quota_own is None else user.quota_own
    fixed = base != USUAL_QUOTA if user.quota_fixed is None else bool(user.quota_fixed)
    return base if fixed else None


def of_group(group: PeopleGroup) -> Policy:
    return loads(group.policy)


def of_establishment(establishment: Establishment) -> Policy:
    return loads(establishment.policy)


def of_their_establishment(user: User) -> Policy:
    """What the establishment of somebody's domain gives. 1 query."""
    return NOTHING if user.role in _OF_NO_ESTABLISHMENT else loads(establishment_policies.by_domain(user.domain).get(user.domain))


def message_limit(user: User, settings: Settings) -> int:
    """How many bytes a message of theirs may have. A group can lower what the installation takes, not raise it. 0 queries."""
    return min(for_user(user).message_bytes or settings.message_limit, settings.message_limit)


def recipient_limits(user: User, settings: Settings) -> tuple[int, int]:
    """To how many somebody may write in an hour and in a day; 0: without limit. 0 queries."""
    said = for_user(user)
    hour = next(n for n in (user.recipients_per_hour, said.recipients_per_hour, settings.recipients_per_hour) if n is not None)
    day = next(n for n in (user.recipients_per_day, said.recipients_per_day, settings.recipients_per_day) if n is not None)
    return hour, day


def attachment_limit(user: User) -> int:
    """How many bytes one attached file may have; 0: as many as the message. 0 queries."""
    return for_user(user).attachment_bytes or 0


def hidden(user: User | None) -> frozenset[str]:
    """The blueprints that somebody does not see; none where nobody is signed in, or the database is away. 0 queries."""
    return _hidden(user.policy if user is not None else None)


@lru_cache(maxsize=1024)
def _hidden(policy: str | None) -> frozenset[str]:
    areas = loads(policy).hidden or ()
    return frozenset(
        [
            *areas,
            *(_WITH_CALENDAR if "calendar" in areas else ()),
            *(_WITH_COLLECTIONS if {"calendar", "contacts"} <= {*areas} else ()),
        ]
    )


def services(user: User) -> tuple[str, ...] | None:
    """What somebody may connect of what the installation has; None: all of it. 0 queries."""
    return for_user(user).services


# --- which of several ------------------------------------------------------------------------------------------------


def widest(several: Iterable[Policy]) -> Policy:
    """Of what several groups say. `writes_to` is never "own" any more: `in_force` has put the groups into `to_groups`."""
    said = list(several)
    values: dict[str, Any] = {}
    for name in (
        "quota_bytes",
        "quota_messages",
        "message_bytes",
        "attachment_bytes",
        "recipients_per_hour",
        "recipients_per_day",
    ):
        numbers = [number for one in said if (number := getattr(one, name)) is not None]
        values[name] = (0 if 0 in numbers else max(numbers)) if numbers else None
    values["forwarding"] = max((one.forwarding for one in said if one.forwarding), key=FORWARDING.index, default=None)
    values["forwarding_domains"] = tuple(sorted({name for one in said for name in one.forwarding_domains}))
    steps = [one.second_step for one in said if one.second_step is not None]
    values["second_step"] = any(steps) if steps else None
    hidden = [set(one.hidden) for one in said if one.hidden is not None]
    values["hidden"] = tuple(sorted(set.intersection(*hidden))) if hidden else None
    services = [set(one.services) for one in said if one.services is not None]
    values["services"] = tuple(sorted(set.union(*services))) if services else None
    values["writes_to"] = max((one.writes_to for one in said if one.writes_to), key=WRITES_TO.index, default=None)
    values["written_by"] = max((one.written_by for one in said if one.written_by), key=WRITTEN_BY.index, default=None)
    values["files_by"] = max((one.files_by for one in said if one.files_by), key=FILES_BY.index, default=None)
    values["to_groups"] = tuple(sorted({number for one in said for number in one.to_groups}))
    return Policy(**values)


def over(mine: Policy, theirs: Policy) -> Policy:
    """What somebody has of their own over what their groups say, or what these say over their establishment."""
    values = {
        field.name: value if _is_said(field.name, value := getattr(mine, field.name)) else getattr(theirs, field.name)
        for field in fields(Policy)
    }
    if mine.forwarding is not None:
        values["forwarding_domains"] = mine.forwarding_domains
    if mine.writes_to is not None:
        values["to_groups"] = mine.to_groups
    return Policy(**values)


def _resolved(said: Policy, group: int | None, their_groups: Iterable[int], numbers: dict[str, int]) -> Policy:
    """With the groups that may be written to, by number, instead of by identifier."""
    if said.writes_to not in (reach.GROUPS, "own"):
        return replace(said, reach=())
    found = {numbers[one] for one in said.reach if one in numbers}
    if said.writes_to == "own":
        found |= set(their_groups) - {group}
    elif group is not None:
        found.add(group)
    return replace(said, reach=(), writes_to=reach.GROUPS, to_groups=tuple(sorted(found)))


# --- what holds ------------------------------------------------------------------------------------------------------


def refresh(numbers: Iterable[int]) -> int:
    """Store anew what holds for these people (accounts by `id`); returns for how many it is another. One transaction.

    Four queries for 400, and an UPDATE for each value that is new; three where nobody says anything.
    """
    wanted, changed = sorted(set(numbers)), 0
    if not wanted:
        return 0
    with db.atomic():
        rules = _Rules.fetch()
        for at in range(0, len(wanted), _CHUNK):
            changed += rules.stored(wanted[at : at + _CHUNK])
    return changed


def refresh_group(group: PeopleGroup) -> int:
    """The same for everybody in a group. A group that others may write to as well changes nothing for them."""
    rows: Any = GroupMember.select(GroupMember.user).where(GroupMember.group == group).tuples()
    return refresh(number for (number,) in rows)


def refresh_domains(domains: Iterable[str]) -> int:
    """The same for everybody with an address in these domains."""
    return refresh(numbers_in(domains))


def numbers_in(domains: Iterable[str]) -> set[int]:
    """The accounts (by `id`) in these domains. 1 query."""
    return {one.id for one in _rows(User.domain.in_(sorted(set(domains))))}


def begin(user: User) -> None:
    """Give somebody what their establishment gives, whose account is new: in no group yet. 1 query where that is nothing."""
    if of_their_establishment(user) != NOTHING:
        follow(user)


def follow(user: User) -> None:
    """Look anew what holds for somebody, whose domain is another one for example. One transaction."""
    refresh([user.id])
    _look_again(user)


def set_group(group: PeopleGroup, said: Policy) -> int:
    """What a group gives from now on; returns for how many something changed. The caller records it. One transaction."""
    with db.atomic():
        group.policy = said.dumps()
        PeopleGroup.update(policy=group.policy).where(PeopleGroup.id == group.id).execute()
        return refresh_group(group)


def set_own(user: User, mine: Policy) -> None:
    """What somebody has of their own, from now on. The caller records it. One transaction."""
    with db.atomic():
        user.own_policy = mine.dumps()
        User.update(own_policy=user.own_policy).where(User.id == user.id).execute()
        follow(user)


def follow_groups(user: User) -> None:
    """Take an own quota back: that of the groups counts, else the usual one. One transaction."""
    with db.atomic():
        User.update(quota_fixed=0, quota_own=None, quota_bytes=USUAL_QUOTA).where(User.id == user.id).execute()
        follow(user)


def _look_again(user: User) -> None:
    """Let the row in memory say what is stored."""
    for column in (found := _rows(User.id == user.id)[0]).__data__:
        setattr(user, column, getattr(found, column))


def _has_any(user: User) -> bool:
    return bool(user.policy or user.own_policy or user.quota_messages or user.quota_own is not None)


def existing(numbers: Iterable[int]) -> set[int]:
    """Those of these accounts (by `id`) that there are. 1 query for 400."""
    wanted = sorted(set(numbers))
    return {one.id for at in range(0, len(wanted), _CHUNK) for one in _rows(User.id.in_(wanted[at : at + _CHUNK]))}


def _rows(where: Any) -> list[User]:
    of_room = (User.quota_bytes, User.quota_own, User.quota_fixed, User.quota_messages)
    columns = (User.id, User.domain, User.role, *of_room, User.policy, User.own_policy)
    return list(User.select(*columns).where(where))


def origins(user: User) -> list[tuple[str, Policy]]:
    """What each of somebody's groups says, by its name, for the page that tells where a value comes from. 1 query."""
    rows = PeopleGroup.select().join(GroupMember).where(GroupMember.user == user, PeopleGroup.policy.is_null(False))
    return [(group.name, loads(group.policy)) for group in rows.order_by(PeopleGroup.sort)]


def for_groups(user: User) -> Policy:
    """What would hold for somebody who had nothing of their own. 2 queries."""
    return over(widest(said for _name, said in origins(user)), of_their_establishment(user))


@dataclass(frozen=True, slots=True)
class _Rules:
    """What all groups say, by their `id`, and establishments, by domain; and the numbers of all groups that are named."""

    of_groups: dict[int, Policy]
    of_domains: dict[str, Policy]
    numbers: dict[str, int]

    @classmethod
    def fetch(cls) -> _Rules:
        rows: Any = PeopleGroup.select(PeopleGroup.id, PeopleGroup.policy).where(PeopleGroup.policy.is_null(False)).tuples()
        said = {number: loads(text) for number, text in rows}
        of_domains = {domain: loads(text) for domain, text in establishment_policies.by_domain().items()}
        named = sorted({name for one in (*said.values(), *of_domains.values()) for name in one.reach})
        found = {}
        for at in range(0, len(named), _CHUNK):
            these: Any = PeopleGroup.select(PeopleGroup.identifier, PeopleGroup.id)
            found.update(dict(these.where(PeopleGroup.identifier.in_(named[at : at + _CHUNK])).tuples()))
        return cls(said, of_domains, found)

    def stored(self, some: list[int]) -> int:
        users = _rows(User.id.in_(some))
        if not self.of_groups and not self.of_domains and not any(_has_any(one) for one in users):
            return 0
        groups: dict[int, list[int]] = {}
        rows: Any = GroupMember.select(GroupMember.user, GroupMember.group).where(GroupMember.user.in_(some)).tuples()
        for person, group in rows:
            groups.setdefault(person, []).append(group)
        fresh: dict[tuple[Any, ...], list[int]] = {}
        for user in users:
            now = self._columns(user, groups.get(user.id, []))
            if now != (user.quota_bytes, user.quota_own, user.quota_messages, user.policy):
                fresh.setdefault(now, []).append(user.id)
        for (quota, before, messages, policy), people in fresh.items():
            new = {"quota_bytes": quota, "quota_own": before, "quota_messages": messages, "policy": policy}
            User.update(new).where(User.id.in_(people)).execute()
        return sum(map(len, fresh.values()))

    def _columns(self, user: User, groups: list[int]) -> tuple[int, int | None, int | None, str | None]:
        by_groups = widest(_resolved(self.of_groups[one], one, groups, self.numbers) for one in groups if one in self.of_groups)
        ground = NOTHING if user.role in _OF_NO_ESTABLISHMENT else self.of_domains.get(user.domain, NOTHING)
        theirs = over(by_groups, _resolved(ground, None, groups, self.numbers))
        found = over(_resolved(loads(user.own_policy), None, groups, self.numbers), theirs)
        base = user.quota_bytes if user.quota_own is None else user.quota_own
        quota, before = (base, None) if own_quota(user) is not None or theirs.quota_bytes is None else (theirs.quota_bytes, base)
        kept = replace(found, quota_bytes=None, quota_messages=None)
        return quota, before, found.quota_messages, kept.dumps()
