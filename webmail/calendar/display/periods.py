"""Periods: which days a page of the calendar shows, what comes before and after, and how such a page is named in addresses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

VIEWS = ("day", "workweek", "week", "month", "agenda", "year")
AGENDA_DAYS = 28  # of a page
FIRST_DAYS = ("monday", "sunday", "saturday")
_EARLIEST, _LATEST = date(1902, 1, 1), date(2199, 12, 31)
_WEEK = timedelta(days=7)


class NoSuchPeriodError(ValueError):
    """An address names no day, or one that no page shows."""


@dataclass(frozen=True, slots=True)
class Period:
    """The days of a page: `first` to `last` are what it is about, `shown_first` to `shown_last` what it shows."""

    view: str
    day: date  # that its address names
    first: date
    last: date
    shown_first: date
    shown_last: date

    @property
    def days(self) -> list[date]:
        count = (self.shown_last - self.shown_first).days + 1
        return [self.shown_first + timedelta(days=number) for number in range(count)]

    @property
    def weeks(self) -> list[list[date]]:
        days = self.days
        return [days[at : at + 7] for at in range(0, len(days), 7)]

    @property
    def before(self) -> date | None:
        """The day that names the period before; None where no page shows it."""
        return _allowed(self._step(-1))

    @property
    def after(self) -> date | None:
        return _allowed(self._step(1))

    def _step(self, by: int) -> date:
        if self.view == "month":
            return month_away(self.first, by)
        if self.view == "year":
            return date(self.first.year + by, 1, 1)
        length = {"day": 1, "agenda": AGENDA_DAYS}.get(self.view, 7)
        return self.day + timedelta(days=by * length)


def month_away(day: date, by: int) -> date:
    """The first day of the month so many months away."""
    months = day.year * 12 + day.month - 1 + by
    return date(months // 12, months % 12 + 1, 1)


def parse(view: str, text: str, first_day: str = "monday") -> Period:
    """The period of an address: a day, of a month also "2026-12", of a year "2026". Raises NoSuchPeriodError."""
    whole = text + {4: "-01-01", 7: "-01"}.get(len(text), "")
    try:
        day = date.fromisoformat(whole) if len(whole) == 10 else None
    except ValueError:
        day = None
    if day is None or _allowed(day) is None or view not in VIEWS:
        raise NoSuchPeriodError(f"{view[:20]} {text[:20]}")
    return around(view, day, first_day)


def around(view: str, day: date, first_day: str = "monday") -> Period:
    """The period that a day is in."""
    if view == "month":
        first, last = day.replace(day=1), month_away(day, 1) - timedelta(days=1)
        return Period(view, day, first, last, week_of(first, first_day), week_of(last, first_day) + _WEEK - timedelta(days=1))
    if view == "year":
        first, last = date(day.year, 1, 1), date(day.year, 12, 31)
    elif view == "week":
        first = week_of(day, first_day)
        last = first + timedelta(days=6)
    elif view == "workweek":  # where the week begins with Saturday or Sunday, those are of the days that come
        first = week_of(day, first_day)
        first += timedelta(days=-first.weekday() % 7)
        last = first + timedelta(days=4)
    elif view == "agenda":
        first, last = day, day + timedelta(days=AGENDA_DAYS - 1)
    else:
        first = last = day
    return Period(view, day, first, last, first, last)


def week_of(day: date, first_day: str = "monday") -> date:
    """The first day of its week."""
    begins = {"monday": 0, "sunday": 6, "saturday": 5}.get(first_day, 0)
    return day - timedelta(days=(day.weekday() - begins) % 7)


def week_number(week: Sequence[date]) -> int:
    """The number (ISO 8601) of a week, whatever day it begins with: that of its Monday."""
    monday = next((day for day in week if day.weekday() == 0), week[0])
    return monday.isocalendar().week


def is_week_a(day: date, reference: date) -> bool:
    """Whether a day is in a week A, where `reference` is one in such a week: they take turns."""
    monday, other = week_of(day), week_of(reference)
    return (monday - other).days // 7 % 2 == 0


def _allowed(day: date) -> date | None:
    return day if _EARLIEST <= day <= _LATEST else None
