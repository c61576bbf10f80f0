"""Sections of a list: what is overdue, due today, this week, later, and on no day, by a person's clock."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo

from webmail.calendar.display import periods
from webmail.calendar.todos.todo_lists import TodoRow
from webmail.models import FOR_EVER, Todo

OVERDUE, TODAY, WEEK, LATER, NEVER = SECTIONS = ("overdue", "today", "week", "later", "never")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# a program may write the last second of the year 9999 in a zone where UTC has no such day any more
_FIRST, _LAST = (int((at - _EPOCH).total_seconds()) for at in (datetime(1, 1, 3, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)))


@dataclass(frozen=True, slots=True)
class Now:
    """A person's time: `last` is the last day of their week."""

    at: datetime
    last: date
    zone: tzinfo

    @classmethod
    def here(cls, at: datetime, first_day: str, zone: tzinfo) -> Now:
        """`first_day` of the week, as the preference has it."""
        local = at.astimezone(zone)
        return cls(local, periods.week_of(local.date(), first_day) + timedelta(days=6), zone)


def moment_of(row: TodoRow | Todo, zone: tzinfo) -> date | datetime | None:
    """When it is due: a day, or a time by the person's clock."""
    if row.due >= FOR_EVER:
        return None
    if row.whole_day:
        return (_EPOCH + timedelta(seconds=row.due)).date()
    return (_EPOCH + timedelta(seconds=min(max(row.due, _FIRST), _LAST))).astimezone(zone)


def section_of(row: TodoRow, now: Now) -> str:
    due = moment_of(row, now.zone)
    if due is None:
        return NEVER
    day = due.date() if isinstance(due, datetime) else due
    if day < now.at.date() or (isinstance(due, datetime) and due < now.at):
        return OVERDUE
    return TODAY if day == now.at.date() else WEEK if day <= now.last else LATER


def parted(rows: Iterable[TodoRow], now: Now) -> list[tuple[str, list[TodoRow]]]:
    """The rows by their sections, those alone in which something is."""
    found: dict[str, list[TodoRow]] = {}
    for row in rows:
        found.setdefault(section_of(row, now), []).append(row)
    return [(name, found[name]) for name in SECTIONS if name in found]
