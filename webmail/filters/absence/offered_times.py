"""Offered times of an absence: weeks and holidays. As people type and read them: `webmail/schedule.py`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from webmail.config.tables import ListedHolidays
from webmail.filters.absence import holidays

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class OfferedTimes:
    """Days to be away, both of them included. `name`: `this-week`, `next-week`, a word of `holidays.py`, or as listed."""

    key: str
    name: str
    first: date
    last: date
    school: bool = False


def offered_times(zone: str, today: date, listed: Iterable[ListedHolidays]) -> list[OfferedTimes]:
    """The rest of this week, next week, and the next holidays of a school zone."""
    monday = today + timedelta(days=7 - today.weekday())
    found = [
        OfferedTimes("this-week", "this-week", today, monday - _DAY),
        OfferedTimes("next-week", "next-week", monday, monday + 6 * _DAY),
    ]
    for one in holidays.coming(zone, today, listed):
        begin = max(one.begin, today)
        found.append(OfferedTimes(f"school-{one.begin}", one.name, begin, one.end - _DAY, school=True))
    return found
