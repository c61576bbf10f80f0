"""Day counts: how many events each day of a calendar has, and which come first, in the memory of this process.

Times alone are read, from an index, and once for each version of a calendar: after a change, the others of 20 need not be asked.
Nor need their events that a page has shown, which are kept with them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from threading import Lock
from typing import NamedTuple

from webmail.calendar.display import happenings
from webmail.calendar.display.happenings import Happening, midnight
from webmail.database.connection import db
from webmail.models import FOR_EVER, Occurrence

MOST = 30_000  # events that are read for a page
MOST_WIDE = 1_000  # of those that are on several days, which are read whole
_MOST_KEPT = 400  # calendars, each on the days of a page: mostly some 10 kB
_MOST_WEIGHT = 120_000  # of all these together, times and events that weigh as eight: some 20 MB
_DAY = 86_400
Time = tuple[int, ...]  # start, -end and `id`, which are the order of a day; whether of whole days; calendar


class DaySpan(NamedTuple):
    """The days of a page in the reader's time zone, and how many events of a day it shows at most."""

    first: date
    last: date
    zone: tzinfo
    per_day: int


@dataclass(frozen=True, slots=True)
class CalendarDays:
    """What one calendar has: of each day how many events are on it alone, and the first of them; the `id`s of all others,
    or of one more than a page reads."""

    counts: list[int]
    firsts: list[list[Time]]
    wide: list[int]
    times: int  # in `firsts`
    events: dict[int, Happening] = field(default_factory=dict)  # by `id`, those that were read whole for a page

    @property
    def weight(self) -> int:
        return self.times + 8 * len(self.events)


_kept: OrderedDict[Hashable, CalendarDays] = OrderedDict()
_lock = Lock()


def count(rights: Mapping[int, str], versions: Mapping[int, Hashable], span: DaySpan) -> tuple[dict[int, CalendarDays], bool]:
    """The days of each calendar in `rights`; and whether that is all: not of calendars with too many events.

    `versions`: another one for each change; calendars without one are not kept. 1 query, unless all are.
    """
    keys = {
        number: (str(db.obj.database), number, versions[number], right, span)
        for number, right in rights.items()
        if number in versions
    }
    found = _remembered(keys)
    missing = {number: right for number, right in rights.items() if number not in found}
    if not missing:
        return found, True
    rows = _times(missing, span)
    fresh = _sorted_out(rows[:MOST], missing, span)
    whole = len(rows) <= MOST
    if whole:
        _remember({keys[number]: days for number, days in fresh.items() if number in keys})
    return found | fresh, whole


def _remembered(keys: Mapping[int, Hashable]) -> dict[int, CalendarDays]:
    with _lock:
        found = {number: _kept[key] for number, key in keys.items() if key in _kept}
        for number in found:
            _kept.move_to_end(keys[number])
    return found


def _remember(fresh: Mapping[Hashable, CalendarDays]) -> None:
    with _lock:
        _kept.update(fresh)
        weight = sum(one.weight for one in _kept.values())
        while len(_kept) > _MOST_KEPT or weight > _MOST_WEIGHT:
            weight -= _kept.popitem(last=False)[1].weight


def forget() -> None:
    """Drop all, as in a new process: to measure."""
    with _lock:
        _kept.clear()


def _times(rights: Mapping[int, str], span: DaySpan) -> list[Time]:
    """What takes place on these days, from an index alone."""
    start, end = happenings.around(span.first, span.last, span.zone)
    return _touching(rights, start, end, MOST + 1)


_touching = happenings.touching(
    lambda: Occurrence.select(Occurrence.start, 0 - Occurrence.end, Occurrence.id, Occurrence.whole_day, Occurrence.collection)
)


def _sorted_out(rows: Iterable[Time], calendars: Iterable[int], span: DaySpan) -> dict[int, CalendarDays]:
    """What is on one of these days alone, by calendar and day; and what is on several, or may be."""
    days = list(happenings.days(span.first, span.last))
    bounds = [midnight(day, span.zone) for day in [*days, span.last + timedelta(days=1)]]
    first_utc, count = int(datetime(days[0].year, days[0].month, days[0].day, tzinfo=UTC).timestamp()), len(days)
    ends = [*bounds[1:], FOR_EVER, bounds[0]]  # of each day; behind them, of what begins after all of them, and (-1) before
    by_day: dict[int, list[list[Time]]] = {number: [[] for _day in days] for number in calendars}
    wide: dict[int, list[int]] = {number: [] for number in by_day}
    for row in rows:
        start, before_end, number, whole_day, calendar = time = row
        if whole_day:
            place = (start - first_utc) // _DAY
            alone = start + before_end >= -_DAY
            time = (start - _DAY, before_end, number)  # these come first
        else:
            place = bisect_right(bounds, start) - 1
            alone = ends[place] + before_end >= 0
        if not alone:
            wide[calendar].append(number)
        elif 0 <= place < count:
            by_day[calendar][place].append(time)
    return {number: _days(mine, wide[number], span.per_day) for number, mine in by_day.items()}


def _days(by_day: list[list[Time]], wide: list[int], most: int) -> CalendarDays:
    firsts = [sorted(times)[:most] if len(times) > 1 else times for times in by_day] if most else []
    return CalendarDays([len(times) for times in by_day], firsts, wide[: MOST_WIDE + 1], sum(map(len, firsts)))
