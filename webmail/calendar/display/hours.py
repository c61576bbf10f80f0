"""Hours: where the events of a day stand between its hours, and which of them side by side. Times are those of the clock.

On the day on which clocks change, the hour that is left out is empty, and the one that comes twice has the events of both.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from functools import lru_cache

from webmail.calendar.display.happenings import Happening, midnight

STEP = 5  # minutes: lessons begin at 8:55
COLUMNS = 12  # of a day's grid: as many events fit side by side
SHORTEST = 25  # minutes: what takes less is drawn so long, or its title would not fit
_DAY = 24 * 60


@dataclass(slots=True)
class HourBlock:
    """An event of a day, or its part of that day: minutes since midnight, by the clock, and its place across."""

    event: Happening
    start: int
    end: int
    column: int = 0  # of COLUMNS
    width: int = COLUMNS
    before: bool = False  # it began on an earlier day, goes on the next
    after: bool = False

    def css_classes(self, first_hour: int) -> str:
        """Classes of static/css/calendar-hours.css: its hour and step (h, m), its length in both (k, l), its columns (c, w)."""
        begin, end = self.start // STEP - first_hour * 12, -(-self.end // STEP) - first_hour * 12
        length = end - begin
        return f"h{begin // 12} m{begin % 12} k{length // 12} l{length % 12} c{self.column} w{self.width}"


@dataclass(slots=True)
class DayColumn:
    day: date
    blocks: list[HourBlock]
    more: int = 0  # events that had no room

    @property
    def key(self) -> tuple[Hashable, ...]:
        """All that decides how it looks, besides the calendars and the hours that are shown."""
        return self.day, self.more, *((one.event.key, one.start, one.end, one.column, one.width) for one in self.blocks)


def column_of(day: date, events: Sequence[Happening], most: int = 6, more: int = 0) -> DayColumn:
    """The events of this day that have hours, with at most `most` side by side. `more`: how many others there are."""
    blocks = [_block(one, day) for one in events if one.first <= day <= one.last and not one.is_bar]
    blocks.sort(key=lambda one: (one.start, -one.end, one.event.order))
    placed: list[HourBlock] = []
    for group in _groups(blocks):
        kept, left = _side_by_side(group, min(most, COLUMNS))
        placed += kept
        more += left
    return DayColumn(day, placed, more)


def with_room(times: Iterable[tuple[int, int, int]], midnight_after: int, most: int) -> list[int]:
    """The numbers of those of a day's (start, end, number) that `column_of` will have room for: of thousands, the times alone are
    known. In seconds since 1970; on the night on which clocks change it may have less room than this says, and counts it."""
    latest = midnight_after // 60 - SHORTEST
    lanes: list[int] = []  # until when each is taken
    kept: list[int] = []
    for start, before_end, number in sorted((min(start // 60, latest), -(end // 60), number) for start, end, number in times):
        lane = next((lane for lane, until in enumerate(lanes) if until <= start), len(lanes))
        if lane < most:
            lanes[lane : lane + 1] = [max(-before_end, start + SHORTEST)]
            kept.append(number)
    return kept


def _block(happening: Happening, day: date) -> HourBlock:
    start = _minutes(happening.begins) if happening.first == day else 0
    if happening.last > day:
        return HourBlock(happening, min(start, _DAY - SHORTEST), _DAY, before=happening.first < day, after=True)
    end = (
        _minutes(happening.ends) if happening.ends.date() == day else _DAY
    )  # before `start`, where clocks are put back meanwhile
    start = min(start, _DAY - SHORTEST)
    return HourBlock(happening, start, min(max(end, start + SHORTEST), _DAY), before=happening.first < day)


def _minutes(moment: datetime) -> int:
    return moment.hour * 60 + moment.minute


def _groups(blocks: list[HourBlock]) -> list[list[HourBlock]]:
    """Blocks that touch one another, directly or through others."""
    groups: list[list[HourBlock]] = []
    until = -1
    for one in blocks:
        if one.start >= until:
            groups.append([])
        groups[-1].append(one)
        until = max(until, one.end)
    return groups


def _side_by_side(group: list[HourBlock], most: int) -> tuple[list[HourBlock], int]:
    """Gives each block the first lane that is free; a block is as wide as the lanes to its right are free."""
    ends: list[int] = []  # of each lane
    lanes: list[tuple[HourBlock, int]] = []
    more = 0
    for one in group:
        lane = next((number for number, end in enumerate(ends) if end <= one.start), len(ends))
        if lane >= most:
            more += 1
            continue
        ends[lane : lane + 1] = [one.end]
        lanes.append((one, lane))
    count = len(ends)
    for one, lane in lanes:
        free = lane + 1
        while free < count and not any(at == free and each.start < one.end and one.start < each.end for each, at in lanes):
            free += 1
        one.column = lane * COLUMNS // count
        one.width = free * COLUMNS // count - one.column
    return [one for one, _lane in lanes], more


def hours_shown(columns: Sequence[DayColumn], first: int, last: int) -> tuple[int, int]:
    """From and until which hour: those that somebody chose, and all that have something in them."""
    blocks = [one for column in columns for one in column.blocks]
    first = min([first, *(one.start // 60 for one in blocks)])
    return first, min(max([last, first + 1, *(-(-one.end // 60) for one in blocks)]), 24)


def clock_change(day: date, zone: tzinfo) -> int:
    """By how many minutes clocks are put forward on this day; less than 0: back; 0 on nearly all."""
    if _is_steady(day, zone):
        return 0
    length = midnight(day + timedelta(days=1), zone) - midnight(day, zone)
    return (86_400 - length) // 60


def is_twice(moment: datetime) -> bool:
    """Whether the clock shows this time twice on that day."""
    if _is_steady(moment.date(), moment.tzinfo):
        return False
    return moment.replace(fold=0).utcoffset() != moment.replace(fold=1).utcoffset()


@lru_cache(maxsize=1024)
def _is_steady(day: date, zone: tzinfo | None) -> bool:
    """Whether clocks change neither on this day nor on those beside it: so on nearly all."""
    before, after = (datetime(day.year, day.month, day.day, tzinfo=zone) + timedelta(days=by) for by in (-1, 2))
    return before.utcoffset() == after.utcoffset()
