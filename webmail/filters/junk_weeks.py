"""Junk weeks: how many messages somebody marked as junk and as not junk, week by week. The mail server learns from those marks
(`imapsieve`); how well, it does not tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from webmail.models import JunkWeek, User, now

WEEKS = 8  # that are shown; older ones are forgotten


@dataclass(frozen=True, slots=True)
class MarkedWeek:
    monday: date
    junk: int
    ham: int


def note(user: User, *, junk: int = 0, ham: int = 0) -> None:
    """Count messages that were just marked. 1 query, and 1 more in a new week."""
    monday = _monday()
    fresh = (JunkWeek.user == user) & (JunkWeek.monday == monday)
    more: dict[Any, Any] = {JunkWeek.junk: JunkWeek.junk + junk, JunkWeek.ham: JunkWeek.ham + ham}
    if JunkWeek.update(more).where(fresh).execute():
        return
    row = {"user": user, "monday": monday, "junk": junk, "ham": ham}
    JunkWeek.insert(row).on_conflict(conflict_target=[JunkWeek.user, JunkWeek.monday], update=more).execute()
    JunkWeek.delete().where(JunkWeek.user == user, JunkWeek.monday <= monday - timedelta(weeks=WEEKS)).execute()


def latest(user: User) -> Sequence[MarkedWeek]:
    """The last WEEKS in which something was marked, the latest first. 1 query."""
    since = _monday() - timedelta(weeks=WEEKS - 1)
    rows: Any = JunkWeek.select(JunkWeek.monday, JunkWeek.junk, JunkWeek.ham).where(
        JunkWeek.user == user, JunkWeek.monday >= since
    )
    return tuple(MarkedWeek(*row) for row in rows.order_by(JunkWeek.monday.desc()).tuples())


def _monday() -> date:
    today = now().date()
    return today - timedelta(days=today.weekday())
