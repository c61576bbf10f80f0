"""Crowded days: how many events each day has, and those of each that a page has room for.

Only the times of all are read; an event is read whole once it is known that it is shown. 20 calendars may have thousands a month.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta, tzinfo
from itertools import chain

from webmail.calendar.display import day_counts, happenings, hours
from webmail.calendar.display.day_counts import MOST_WIDE, CalendarDays, DaySpan, Time
from webmail.calendar.display.happenings import Found, Happening

_CHUNK = 400
_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Crowd:
    """What some calendars have on the days of a page: the times of what is on one day alone, and all `others` whole, which are on
    several or recur beyond the table. `counts`: how many each day has, with the others. `whole`: whether that is all there is.
    """

    rights: Mapping[int, str]
    span: DaySpan
    parts: Mapping[int, CalendarDays]
    others: list[Happening]
    counts: dict[date, int]
    whole: bool
    slow: tuple[str, ...] = ()  # see `Found`

    def found(self, numbers: Iterable[int], until: date | None = None) -> Found:
        """The events of one day with these `id`s, and the others, without those that begin after `until`. 1 query, or none where
        all are kept."""
        rows = _read(numbers, self.parts, self.rights, self.span.zone)
        return Found([*rows, *(one for one in self.others if until is None or one.first <= until)], self.whole, self.slow)

    def of_each_day(self) -> Iterator[tuple[date, list[Time]]]:
        """The first times of each day, in order, of all calendars together."""
        days = happenings.days(self.span.first, self.span.last)
        if not self.parts:  # no calendar is shown
            yield from ((day, []) for day in days)
            return
        for day, firsts in zip(days, zip(*(one.firsts for one in self.parts.values()), strict=True), strict=True):
            yield day, sorted(chain.from_iterable(firsts))


def crowd(rights: Mapping[int, str], span: DaySpan, floating: tzinfo, versions: Mapping[int, Hashable]) -> Crowd:
    """`versions`: see `day_counts.count`. `floating`: where times without a zone are meant. At most 3 queries."""
    first, last, zone, _per_day = span
    if not rights:
        return Crowd(rights, span, {}, [], dict.fromkeys(happenings.days(first, last), 0), True)
    parts, whole = day_counts.count(rights, versions, span)
    more, in_time, slow = happenings.beyond(rights, *happenings.around(first, last, zone), floating)
    counts = dict(
        zip(happenings.days(first, last), map(sum, zip(*(one.counts for one in parts.values()), strict=True)), strict=True)
    )
    wide = [number for one in parts.values() for number in one.wide]
    read = [one for one in _read(wide[:MOST_WIDE], parts, rights, zone) if one.first <= last and one.last >= first]
    others = [*read, *happenings.seen(more, rights, first, last, zone)]
    for one in others:
        for day in happenings.days(max(one.first, first), min(one.last, last)):
            counts[day] += 1
    return Crowd(rights, span, parts, others, counts, whole and in_time and len(wide) <= MOST_WIDE, slow)


def first_of_each_day(
    rights: Mapping[int, str], span: DaySpan, floating: tzinfo, versions: Mapping[int, Hashable]
) -> tuple[Found, dict[date, int]]:
    """All events of days that have no more than `per_day` of `span`, of others the first ones, one less: the last line says how
    many more. And how many each day has. `per_day` 0: only to count. `versions`: see `day_counts.count`. At most 4 queries.
    """
    all_of_it = crowd(rights, span, floating, versions)
    shown: list[int] = []
    if span.per_day and rights:
        alone = map(sum, zip(*(one.counts for one in all_of_it.parts.values()), strict=True))
        for count, (_day, times) in zip(alone, all_of_it.of_each_day(), strict=True):
            shown += (time[2] for time in (times if count <= span.per_day else times[: span.per_day - 1]))
    return all_of_it.found(shown), all_of_it.counts


def until_full(all_of_it: Crowd, most: int) -> tuple[Found, date]:
    """All events of the first days, as many as have at most `most` together, and the last of these days: the first in any case.
    1 query, unless all are kept."""
    total, until = 0, all_of_it.span.last
    for day, count in all_of_it.counts.items():
        total += count
        if total > most and day > all_of_it.span.first:
            until = day - timedelta(days=1)
            break
    shown = [time[2] for day, times in all_of_it.of_each_day() if day <= until for time in times]
    found = all_of_it.found(shown[: happenings.MOST], until)
    return Found(found.rows, found.whole and len(shown) <= happenings.MOST, found.slow), until


@dataclass(frozen=True, slots=True)
class HourRoom:
    """What days by the hour have room for: the events; and of each day how many more there are between its hours than were found,
    and how many bars it has, found or not."""

    found: Found
    more: dict[date, int]
    bars: dict[date, int]


def by_hours(all_of_it: Crowd, side_by_side: int, lines: int) -> HourRoom:
    """The events that have room: so many side by side, and bars on so many lines. 1 query, unless all are kept."""
    shown: list[int] = []
    more, bars = {}, {}
    for day, times in all_of_it.of_each_day():
        others = [one for one in all_of_it.others if one.first <= day <= one.last]
        whole = [time[2] for time in times if _is_bar(time)]
        bars[day] = len(whole) + sum(one.is_bar for one in others)
        begin, end = (happenings.midnight(each, all_of_it.span.zone) for each in (day, day + timedelta(days=1)))
        taken = [(max(one.start, begin), min(one.end, end), 0) for one in others if not one.is_bar]
        room = hours.with_room(
            [*taken, *((time[0], -time[1], time[2]) for time in times if not _is_bar(time))], end, side_by_side
        )
        numbers = [number for number in room if number]
        more[day] = len(times) - len(whole) - len(numbers)
        shown += whole[:lines] + numbers
    return HourRoom(all_of_it.found(shown), more, bars)


def _is_bar(time: Time) -> bool:
    """As `Happening.is_bar`: those of whole days begin a day early here (see day_counts.py)."""
    return time[0] + time[1] <= -_DAY


def _read(numbers: Iterable[int], parts: Mapping[int, CalendarDays], rights: Mapping[int, str], zone: tzinfo) -> list[Happening]:
    """The events with these `id`s, as their reader may see them, in no order. 1 query for each 400 that no page has shown yet."""
    known: dict[int, Happening] = {}
    for part in parts.values():
        known |= part.events
    asked = list(numbers)
    missing = [number for number in asked if number not in known]
    for at in range(0, len(missing), _CHUNK):
        for row in happenings.rows_of(missing[at : at + _CHUNK]):
            # SQLite gives numbers again: one that was deleted meanwhile may be an event of somebody else by now
            if row[1] in parts and (one := happenings.happening(row, rights, zone)):
                known[row[0]] = parts[row[1]].events[row[0]] = one
    return [known[number] for number in asked if number in known]
