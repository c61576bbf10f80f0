"""On which days a series of quick entry does not take place."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from webmail.calendar.quick_entry.quick_days import DAY as _DAY
from webmail.calendar.quick_entry.quick_days import Days
from webmail.calendar.quick_entry.quick_repeat import Except, without_weekdays
from webmail.calendar.repeat import Repeat


def skipping(skip: Except | None, repeat: Repeat, first: date) -> tuple[Repeat, tuple[date, ...], bool]:
    """The rule without some days of the week, the days that it leaves out, and whether all that was said could be kept to."""
    if skip is None:
        return repeat, (), True
    if skip.weekdays:
        fewer = without_weekdays(repeat, skip.weekdays)
        return (fewer, (), True) if fewer else (repeat, (), False)
    takes = {day.toordinal() for day in _takings(repeat, first)}
    wanted: list[date] = []
    for one in skip.days:
        if one.first.year == 1:  # a number alone
            wanted += [next((day for day in map(date.fromordinal, sorted(takes)) if day.day == one.first.day), date.min)]
        else:
            stretch = [one.first + more * _DAY for more in range(min(_length(one), 370))]
            wanted += [day for day in stretch if day.toordinal() in takes] or [date.min]
    return repeat, tuple(day for day in dict.fromkeys(wanted) if day != date.min), date.min not in wanted


def _takings(repeat: Repeat, first: date) -> list[date]:
    """On which days a series takes place in its first year."""
    last = min(repeat.until or date.max, first + timedelta(days=400))
    days = repeat.days or (first.weekday(),)
    if repeat.kind == "weekdays":
        days, repeat = (0, 1, 2, 3, 4), replace(repeat, kind="weekly")
    if repeat.kind == "daily":
        return [first + more * repeat.every * _DAY for more in range((last - first).days // repeat.every + 1)]
    if repeat.kind == "weekly":
        monday = first - timedelta(days=first.weekday())
        weeks = range(0, (last - monday).days // 7 + 1, repeat.every)
        found = [monday + timedelta(days=7 * week + day) for week in weeks for day in days]
        return [day for day in found if first <= day <= last]
    return []


def _length(days: Days) -> int:
    return ((days.last or days.first) - days.first).days + 1
