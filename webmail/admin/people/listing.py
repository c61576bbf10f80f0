"""Listing: the people of a scope, found by words, by state, by group or by establishment; sorted, a page at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import peewee as pw

from webmail.auth import account_management
from webmail.establishments import establishments
from webmail.establishments.scope import Scope
from webmail.models import User, now
from webmail.people import groups

SIZE = 50  # of a page
MOST_AT_ONCE = 2_000  # whom one action is done to
_MOST_WORDS = 6
_NEARLY = 10, 9  # nine tenths of the quota
_SOON = timedelta(days=30)

# what can be asked for, by its word in addresses; each is true of accounts
_USED, _QUOTA = User.used_bytes, User.quota_bytes
STATES: dict[str, Any] = {
    "active": lambda: User.active == 1,
    "disabled": lambda: (User.active == 0) & User.removal_due.is_null(),
    "removed": lambda: User.removal_due.is_null(False),
    "never": lambda: User.last_sign_in.is_null() & (User.active == 1),
    "full": lambda: (_QUOTA > 0) & (_USED >= _QUOTA),
    "nearly": lambda: (_QUOTA > 0) & (_USED * _NEARLY[0] >= _QUOTA * _NEARLY[1]),
    "no-factor": lambda: (User.second_step == 0) & (User.active == 1),
    "no-recovery": lambda: (User.recovery_address == "") & (User.active == 1),
    "ending": lambda: User.ends_on.is_null(False) & (User.active == 1) & (User.ends_on < now() + _SOON),
    "administrators": lambda: User.role != "person",
}
SORTS: dict[str, tuple[Any, ...]] = {
    "address": (User.address,),
    "name": (pw.fn.LOWER(User.name), User.address),
    "used": (pw.fn.COALESCE(_USED, -1).desc(), User.address),
    "sign-in": (User.last_sign_in.is_null(False), User.last_sign_in, User.address),  # who has never been here first
    "created": (User.created.desc(), User.address),
}


@dataclass(frozen=True, slots=True)
class PeopleWanted:
    """Whom a list shows. `group`: its name; `establishment`: its number, 0 for all, -1 for accounts of none."""

    words: str = ""
    state: str = ""
    group: str = ""
    establishment: int = 0
    sort: str = "address"

    def is_all(self) -> bool:
        return not (self.words or self.state or self.group or self.establishment)


def page(scope: Scope, wanted: PeopleWanted, number: int, size: int = SIZE) -> tuple[list[User], int]:
    """A page (from 1), and how many there are. Two SELECTs, one for the last page; one or two more for an establishment."""
    asked, start = conditions(scope, wanted), (number - 1) * size
    rows = account_management.listed(asked, SORTS.get(wanted.sort, SORTS["address"]), size, start)
    return rows, start + len(rows) if 0 < len(rows) < size else account_management.count(asked)


def all_of(scope: Scope, wanted: PeopleWanted, most: int = MOST_AT_ONCE) -> list[User]:
    """All that the list would show on its pages, at most so many. One SELECT, and those of `page`."""
    return account_management.listed(conditions(scope, wanted), (), most)


def conditions(scope: Scope, wanted: PeopleWanted) -> list[Any]:
    found = [scope.condition()]
    for word in wanted.words.split()[:_MOST_WORDS]:
        found.append(User.name.contains(word) | User.address.contains(word))
    if wanted.state in STATES:
        found.append(STATES[wanted.state]())
    if wanted.group:
        within = None if scope.everything else sorted(scope.domains)
        found.append(User.id.in_(groups.in_any_called(wanted.group, within)))
    if wanted.establishment > 0:
        found.append(User.domain.in_(_domains(wanted.establishment)))
    elif wanted.establishment < 0:
        found.append(User.domain.not_in(establishments.all_domains()))
    return found


def _domains(number: int) -> Sequence[str]:
    return next((establishments.domains(one) for one in establishments.listed() if one.id == number), [])
