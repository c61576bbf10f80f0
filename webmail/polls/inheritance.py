"""Inheritance: the polls of somebody who leaves that others still answer, or look at."""

from __future__ import annotations

from webmail.models import Poll, User, now
from webmail.polls import store


def used_by_others(owner: User) -> list[tuple[Poll, int]]:
    """Those whose last date is still to come, with how many answered. 2 queries."""
    return [(poll, count) for poll, count in store.listed(owner) if poll.ends > now()]


def hand_over(owner: User, heir: User) -> int:
    """Make the heir their organiser; returns how many. Links stay."""
    mine = (Poll.owner == owner) & Poll.removed.is_null() & (Poll.ends > now())
    return int(Poll.update(owner=heir).where(mine).execute())
