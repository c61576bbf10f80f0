"""Crowded days: how many events each day has, and the first of each, where a page has no room for more.

Only the times of all are read; an event is read whole once it is known that it is shown. 20 calendars may have thousands a month.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from heapq import nsmallest
from typing import Any

from webmail.calendar import happenings
from webmail.calendar.happenings import Found, Happening, midnight
from webmail.models import FOR_EVER, Occurrence

MOST = 30_000  # events that are counted
_MOST_WIDE = 1_000  # of those that are on several days, which are read whole
_DAY = 86_400
_CHUNK = 400
_Time = tuple[int, int, int, int]  # start, -end and `id`: the order of a day; whether of whole days


def first_of_each_day(
    rights: Mapping[int, str], first: date, last: date, zone: tzinfo, floating: tzinfo, per_day: int
) -> tuple[Found, dict[date, int]]:
    """All events of days that have no more than `per_day`, of others the first ones, one less: the last line says how many more.

    And how many each day has. `per_day` 0: only to count. At most 3 queries.
    """
    if not rights:
        return Found([]), {}
    start, end = happenings.around(first, last, zone)
    rows = _times(rights, start, end)
    more, whole = happenings.beyond(rights, start, end, floating)
    days = list(happenings.days(first, last))
    by_day, wide = _sorted_out(rows[:MOST], days, zone)
    counts = {day: len(one) for day, one in zip(days, by_day, strict=True)}
    kept = {time[2] for one in by_day for time in (one if len(one) <= per_day else nsmallest(per_day - 1, one))}
    read = _read([*kept, *wide[:_MOST_WIDE]])
    others = happenings.seen([*(row for row in read if row[0] not in kept), *more], rights, first, last, zone)
    _count(others, counts, first, last)
    found = happenings.seen((row for row in read if row[0] in kept), rights, first, last, zone)
    return Found([*found, *others], whole and len(rows) <= MOST and len(wide) <= _MOST_WIDE), counts


def _times(rights: Mapping[int, str], start: int, end: int) -> list[_Time]:
    """What takes place from `start` to `end`, from an index alone."""
    times = Occurrence.select(Occurrence.start, 0 - Occurrence.end, Occurrence.id, Occurrence.whole_day)
    return happenings.plain(happenings.touching(times, rights, start, end).limit(MOST + 1))


def _read(numbers: Sequence[int]) -> list[tuple[Any, ...]]:
    return [row for at in range(0, len(numbers), _CHUNK) for row in happenings.rows_of(numbers[at : at + _CHUNK])]


def _sorted_out(rows: Iterable[_Time], days: list[date], zone: tzinfo) -> tuple[list[list[_Time]], list[int]]:
    """What is on one of these days alone, by day; and the `id`s of what is on several, or may be."""
    by_day: list[list[_Time]] = [[] for _day in days]
    wide = []
    bounds = [*(midnight(day, zone) for day in days), midnight(days[-1] + timedelta(days=1), zone)]
    first_utc, count = int(datetime(days[0].year, days[0].month, days[0].day, tzinfo=UTC).timestamp()), len(days)
    ends = [*bounds[1:], FOR_EVER, bounds[0]]  # of each day; behind them, of what begins after all of them, and (-1) before
    for row in rows:
        start, before_end, number, whole_day = row
        if whole_day:
            place = (start - first_utc) // _DAY
            alone = start + before_end >= -_DAY
            time = (start - _DAY, before_end, number, 1)  # these come first
        else:
            place = bisect_right(bounds, start) - 1
            alone = ends[place] + before_end >= 0
            time = row
        if not alone:
            wide.append(number)
        elif 0 <= place < count:
            by_day[place].append(time)
    return by_day, wide


def _count(found: Iterable[Happening], counts: dict[date, int], first: date, last: date) -> None:
    for one in found:
        for day in happenings.days(max(one.first, first), min(one.last, last)):
            counts[day] += 1
