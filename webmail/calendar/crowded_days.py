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
from webmail.models import Occurrence

MOST = 30_000  # events that are counted
_MOST_WIDE = 1_000  # of those that are on several days, which are read whole
_DAY = 86_400
_CHUNK = 400
_Time = tuple[int, int, int]  # start, -end and `id`: the order of a day


def first_of_each_day(
    rights: Mapping[int, str], first: date, last: date, zone: tzinfo, floating: tzinfo, per_day: int
) -> tuple[Found, dict[date, int]]:
    """All events of days that have no more than `per_day`, of others at least the first ones; and how many each day has.

    `per_day` 0: only to count. At most 4 queries.
    """
    if not rights:
        return Found([]), {}
    start, end = happenings.around(first, last, zone)
    rows = _times(rights, start, end)
    more, whole = happenings.beyond(rights, start, end, floating)
    days = list(happenings.days(first, last))
    by_day, wide = _sorted_out(rows[:MOST], days, zone)
    counts = {day: len(one) for day, one in zip(days, by_day, strict=True)}
    others = happenings.seen([*_read(wide[:_MOST_WIDE]), *more], rights, first, last, zone)
    _count(others, counts, first, last)
    kept = [number for one in by_day for _start, _end, number in nsmallest(per_day, one)]
    found = happenings.seen(_read(kept), rights, first, last, zone)
    return Found([*found, *others], whole and len(rows) <= MOST and len(wide) <= _MOST_WIDE), counts


def _times(rights: Mapping[int, str], start: int, end: int) -> list[tuple[int, int, int, int]]:
    """`id`, start, end, whether of whole days: from an index alone."""
    times = Occurrence.select(Occurrence.id, Occurrence.start, Occurrence.end, Occurrence.whole_day)
    return happenings.plain(happenings.touching(times, rights, start, end).limit(MOST + 1))


def _read(numbers: Sequence[int]) -> list[tuple[Any, ...]]:
    return [row for at in range(0, len(numbers), _CHUNK) for row in happenings.rows_of(numbers[at : at + _CHUNK])]


def _sorted_out(rows: Iterable[tuple[int, int, int, int]], days: list[date], zone: tzinfo) -> tuple[list[list[_Time]], list[int]]:
    """What is on one of these days alone, by day; and the `id`s of what is on several, or may be."""
    by_day: list[list[_Time]] = [[] for _day in days]
    wide = []
    bounds = [*(midnight(day, zone) for day in days), midnight(days[-1] + timedelta(days=1), zone)]
    first_utc, count = int(datetime(days[0].year, days[0].month, days[0].day, tzinfo=UTC).timestamp()), len(days)
    for number, start, end, whole_day in rows:
        if whole_day:
            place = (start - first_utc) // _DAY
            alone = end - start <= _DAY
        else:
            place = bisect_right(bounds, start) - 1
            alone = 0 <= place < count and end <= bounds[place + 1]
        if alone and 0 <= place < count:
            by_day[place].append((start - _DAY if whole_day else start, -end, number))  # whole days come first
        elif not alone:
            wide.append(number)
    return by_day, wide


def _count(found: Iterable[Happening], counts: dict[date, int], first: date, last: date) -> None:
    for one in found:
        for day in happenings.days(max(one.first, first), min(one.last, last)):
            counts[day] += 1
