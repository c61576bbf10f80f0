"""Crowded days: how many events each day has, and the first of each, where a page has no room for more.

Only the times of all are read; an event is read whole once it is known that it is shown. 20 calendars may have thousands a month.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from datetime import date, tzinfo
from itertools import chain
from typing import Any

from webmail.calendar import happenings, kept_days
from webmail.calendar.happenings import Found, Happening
from webmail.calendar.kept_days import MOST_WIDE, CalendarDays, DaySpan

_CHUNK = 400


def first_of_each_day(
    rights: Mapping[int, str], span: DaySpan, floating: tzinfo, versions: Mapping[int, Hashable]
) -> tuple[Found, dict[date, int]]:
    """All events of days that have no more than `per_day` of `span`, of others the first ones, one less: the last line says how
    many more. And how many each day has. `per_day` 0: only to count. `versions`: see `kept_days.of`. At most 3 queries.
    """
    if not rights:
        return Found([]), {}
    first, last, zone, per_day = span
    parts, whole = kept_days.of(rights, versions, span)
    more, in_time = happenings.beyond(rights, *happenings.around(first, last, zone), floating)
    counts = dict(zip(happenings.days(first, last), map(sum, zip(*(one.counts for one in parts), strict=True)), strict=True))
    kept = set(_shown(parts, counts.values(), per_day))
    wide = [number for one in parts for number in one.wide]
    read = _read([*kept, *wide[:MOST_WIDE]])
    others = happenings.seen([*(row for row in read if row[0] not in kept), *more], rights, first, last, zone)
    _count(others, counts, first, last)
    found = happenings.seen((row for row in read if row[0] in kept), rights, first, last, zone)
    return Found([*found, *others], whole and in_time and len(wide) <= MOST_WIDE), counts


def _shown(parts: Sequence[CalendarDays], counts: Iterable[int], per_day: int) -> Iterable[int]:
    """The `id`s of the first events of each day, of all calendars together."""
    if not per_day:
        return
    for count, firsts in zip(counts, zip(*(one.firsts for one in parts), strict=True), strict=True):
        times = sorted(chain.from_iterable(firsts))
        yield from (time[2] for time in (times if count <= per_day else times[: per_day - 1]))


def _read(numbers: Sequence[int]) -> list[tuple[Any, ...]]:
    return [row for at in range(0, len(numbers), _CHUNK) for row in happenings.rows_of(numbers[at : at + _CHUNK])]


def _count(found: Iterable[Happening], counts: dict[date, int], first: date, last: date) -> None:
    for one in found:
        for day in happenings.days(max(one.first, first), min(one.last, last)):
            counts[day] += 1
