"""Requirement of a second factor: who must have one (`second_step_for`), and from when on. No Flask here.

The days of grace begin at the first sign-in at which it is required. After them nothing is shown before a factor is set up
(auth/sign_in/first_steps.py).
"""

from __future__ import annotations

import math
from datetime import timedelta

from webmail.config.settings import Settings
from webmail.models import GroupMember, PeopleGroup, User, now
from webmail.people import policies


def is_required(user: User, settings: Settings) -> bool:
    """Whether an administrator requires a second factor of this person. One SELECT where groups are named, else none."""
    if user.factor_asked is not None or policies.for_user(user).second_step:
        return True
    names, groups = _names(settings), _groups(settings)
    if "all" in names or ("admin" in names and user.role != "person"):
        return True
    if not groups:
        return False
    mine = GroupMember.select().join(PeopleGroup).where(GroupMember.user == user, PeopleGroup.identifier.in_(groups))
    return bool(mine.exists())


def note_at_sign_in(user: User, settings: Settings) -> None:
    """Begin the days of grace, or forget them where nothing is required any more. One UPDATE where that changes something."""
    required = is_required(user, settings)
    if required == (user.second_step_due is not None):
        return
    user.second_step_due = now() + timedelta(days=settings.second_step_grace_days) if required else None
    User.update(second_step_due=user.second_step_due).where(User.id == user.id).execute()


def unknown_groups(settings: Settings) -> list[str]:
    """The groups of `second_step_for` that do not exist, and so require it of nobody. One SELECT where groups are named."""
    if not (groups := _groups(settings)):
        return []
    there = {row.identifier for row in PeopleGroup.select(PeopleGroup.identifier).where(PeopleGroup.identifier.in_(groups))}
    return sorted(groups - there)


def days_left(user: User) -> int | None:
    """How many days are left to set up a factor, rounded up; None where there is nothing to do."""
    if user.second_step or user.second_step_due is None:
        return None
    return max(0, math.ceil((user.second_step_due - now()) / timedelta(days=1)))


def _names(settings: Settings) -> set[str]:
    return {word.strip() for word in settings.second_step_for.split(",")} - {""}


def _groups(settings: Settings) -> set[str]:
    return _names(settings) - {"all", "admin"}
