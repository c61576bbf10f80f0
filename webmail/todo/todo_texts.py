"""Texts of what is to be done: when it is due, how important it is, what sections are called."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from flask_babel import gettext as _
from flask_babel import pgettext

from webmail.calendar.display.event_texts import reminder_words
from webmail.calendar.repeat import Repeat
from webmail.calendar.todos.todo_lists import TodoRow
from webmail.todo.blueprint import blueprint
from webmail.todo.sections import LATER, NEVER, OVERDUE, TODAY, WEEK, Now, moment_of
from webmail.web.formatting import clock_time, day_in_full, weekday_and_day

_PERCENTS = range(10, 100, 10)


def section_words() -> dict[str, str]:
    return {
        OVERDUE: _("Overdue"), TODAY: _("Today"), WEEK: _("This week"), LATER: pgettext("tasks", "Later"),
        NEVER: _("Without a date"),
    }  # fmt: skip


def due_words(row: TodoRow, now: Now) -> str:
    """When it is due, in short; "" for on no day."""
    due = moment_of(row, now.zone)
    return "" if due is None else moment_words(due, now)


def moment_words(due: date | datetime, now: Now) -> str:
    day = due.date() if isinstance(due, datetime) else due
    near = {-1: _("Yesterday"), 0: _("Today"), 1: _("Tomorrow")}.get((day - now.at.date()).days)
    words = near or (weekday_and_day(day) if abs(day - now.at.date()) < timedelta(days=200) else day_in_full(day))
    return _("%(day)s %(time)s", day=words, time=clock_time(due)) if isinstance(due, datetime) else words


def completed_words(row: TodoRow, now: Now) -> str:
    if not row.completed:
        return _("Done")
    at = datetime.fromtimestamp(row.completed, UTC).astimezone(now.zone)
    return _("Done: %(when)s", when=moment_words(at.date(), now))


@blueprint.app_template_filter()
def priority_words(priority: int) -> str:
    """RFC 5545, 3.8.1.9: 1 to 4 are high, 5 medium, the others low; 0 and more than 9 are none."""
    if 1 <= priority <= 4:
        return _("High priority")
    return "" if not 1 <= priority <= 9 else _("Medium priority") if priority == 5 else _("Low priority")


@blueprint.app_template_filter()
def todo_reminder_words(minutes: int) -> str:
    return _("When it is due") if not minutes else reminder_words(minutes)


def priority_choices(present: int) -> list[tuple[int, str]]:
    """One that a program has set, and that stands for the same, is in the place of ours."""
    high, low = present if 1 <= present <= 4 else 1, present if 6 <= present <= 9 else 9
    return [(0, pgettext("priority", "None")), (high, _("High")), (5, _("Medium")), (low, _("Low"))]


def percent_choices(present: int) -> list[tuple[int, str]]:
    return [(one, f"{one} %") for one in sorted({0, *_PERCENTS, *([present] if 0 < present < 100 else [])})]


def repeat_choices(present: Repeat) -> list[tuple[str, str]]:
    found = [
        ("", _("Does not repeat")), ("daily", _("Every day")), ("weekdays", _("Every weekday, Monday to Friday")),
        ("weekly", _("Every week")), ("monthly", _("Every month")), ("yearly", _("Every year")),
    ]  # fmt: skip
    return found if present.kind in dict(found) else [*found, ("kept", _("Otherwise (kept as it is)"))]


def sort_choices() -> list[tuple[str, str]]:
    return [("due", _("Due date")), ("priority", _("Priority")), ("title", _("Title")), ("newest", _("Newest first"))]
