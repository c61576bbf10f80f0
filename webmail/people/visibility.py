"""Visibility: whom somebody sees in the establishment's directory. Whatever shows, suggests or hands out people asks here.

The setting `directory` shows everybody of the establishment to each other, or nobody; `[[directory_rules]]` say more by group.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import peewee as pw

from webmail.config.directory import EVERYONE, NOBODY, OWN_GROUPS, ListedAddress, SightRule
from webmail.config.settings import Settings
from webmail.establishments import establishments
from webmail.mime.headers.encoded_words import sort_key
from webmail.models import GroupMember, PeopleGroup, User
from webmail.people import groups as people_groups


@dataclass(frozen=True, slots=True)
class Sight:
    """What one person sees. `groups`: whose people they see (by `id`), where they don't see everyone; only those then."""

    domain: str
    domains: tuple[str, ...] = ()  # whose people are seen, at most; none: nobody is
    everyone: bool = False
    groups: tuple[int, ...] = ()
    addresses: tuple[ListedAddress, ...] = ()
    own: str = ""  # what only the establishment itself writes from: never listed

    @property
    def nobody(self) -> bool:
        return not self.domains or not (self.everyone or self.groups)

    def accounts(self) -> list[Any]:
        """Conditions for `User` that hold for those who are seen."""
        found = [User.active == 1, User.domain.in_(self.domains), User.address != self.own]
        if not self.everyone:
            inside = GroupMember.select(GroupMember.user).where(GroupMember.group.in_(self.groups))
            found.append(User.id.in_(inside))
        return found

    def listed_groups(self) -> list[Any]:
        """Conditions for `PeopleGroup` that hold for the groups one may write to."""
        if not self.domains:
            return [pw.SQL("1 = 0")]
        return [PeopleGroup.domain == self.domain, *([] if self.everyone else [PeopleGroup.id.in_(self.groups)])]


def sight_of(user: User, settings: Settings) -> Sight:
    """What this person sees. No query where `directory` is off or all see everyone, else 1 or 2."""
    nothing = Sight(user.domain)
    if not settings.directory:
        return nothing
    asks = bool(settings.directory_rules) or any(one.group for one in settings.directory_addresses)
    own = people_groups.of_person(user) if asks else []
    called = {group.sort for group in own}
    rule = _rule(settings.directory_rules, called)
    if rule.sees == NOBODY and not rule.more:
        return nothing
    sender = settings.system_sender
    domains = establishments.found_by(user.domain, settings.own_domains(user.domain))
    seen = [group.id for group in own] if rule.sees == OWN_GROUPS else []
    if rule.more:
        wanted = [sort_key(name) for name in rule.more]
        more: Any = (
            PeopleGroup.select(PeopleGroup.id).where(PeopleGroup.domain.in_(domains), PeopleGroup.sort.in_(wanted)).tuples()
        )
        seen += [number for (number,) in more]
    return Sight(
        user.domain,
        domains,
        rule.sees == EVERYONE,
        tuple(sorted(set(seen))),
        tuple(one for one in settings.directory_addresses if not one.group or sort_key(one.group) in called),
        sender.email.lower() if sender else "",
    )


def sees(user: User, address: str, settings: Settings) -> bool:
    """Whether this person sees who has this address: it is in the directory for them. At most 3 queries."""
    sight = sight_of(user, settings)
    return not sight.nobody and User.select().where(User.address == address.lower(), *sight.accounts()).exists()


def unknown_groups(settings: Settings) -> list[str]:
    """Groups that the rules name and that do not exist in any domain. 1 query, none without rules."""
    named = [name for rule in settings.directory_rules for name in (rule.group, *rule.more) if name]
    named += [one.group for one in settings.directory_addresses if one.group]
    if not named:
        return []
    found: Any = PeopleGroup.select(PeopleGroup.sort).where(PeopleGroup.sort.in_([sort_key(name) for name in named])).tuples()
    known = {sort for (sort,) in found}
    return [name for name in dict.fromkeys(named) if sort_key(name) not in known]


_ALL = SightRule(sees=EVERYONE)
_NONE = SightRule(sees=NOBODY)


def _rule(rules: tuple[SightRule, ...], called: set[str]) -> SightRule:
    """The first rule for somebody in these groups. Where there are rules and none is for them, they see nobody."""
    if not rules:
        return _ALL
    return next((rule for rule in rules if not rule.group or sort_key(rule.group) in called), _NONE)
