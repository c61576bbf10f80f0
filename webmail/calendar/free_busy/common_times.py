"""Common times: the first times at which everybody can come, within the hours in which each of them works. No database."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo

from webmail.calendar.free_busy.busy_people import BusySpan
from webmail.calendar.free_busy.working_hours import WorkSpan

STEP = 30 * 60  # seconds between the times that are looked at
DAYS = 14  # that are looked at
WORK = (8, 18)  # the hours that a grid shows at least
MOST, _MOST_A_DAY = 6, 2


@dataclass(frozen=True, slots=True)
class CommonTime:
    """A time at which all who have to can come. `without`: who else can't, by their places; `unsure`: somebody perhaps."""

    start: int
    end: int
    without: tuple[int, ...] = ()
    unsure: bool = False

    @property
    def suits_all(self) -> bool:
        return not self.without and not self.unsure


class _Line:
    """When somebody, or any of several, is busy: times that do not touch, to be asked quickly."""

    def __init__(self, spans: Iterable[BusySpan], least: int) -> None:
        self.starts: list[int] = []
        self.ends: list[int] = []
        for start, end in sorted((one.start, max(one.end, one.start + 1)) for one in spans if one.level >= least):
            if self.ends and start <= self.ends[-1]:
                self.ends[-1] = max(self.ends[-1], end)
            else:
                self.starts.append(start)
                self.ends.append(end)

    def is_free(self, start: int, end: int) -> bool:
        at = bisect_right(self.starts, end - 1)
        return at == 0 or self.ends[at - 1] <= start


class _Hours:
    """When somebody works: asked quickly whether they do all of a time."""

    def __init__(self, spans: Iterable[WorkSpan]) -> None:
        together = _Line((BusySpan(one.start, one.end, 1) for one in spans), 1)
        self.starts, self.ends = together.starts, together.ends

    def cover(self, start: int, end: int) -> bool:
        at = bisect_right(self.starts, start)
        return at > 0 and self.ends[at - 1] >= end


def first_times(
    required: Sequence[Sequence[BusySpan]], optional: Sequence[Sequence[BusySpan]], length: int, now: int,
    openings: Sequence[WorkSpan], zone: tzinfo, optional_hours: Sequence[Sequence[WorkSpan] | None] = (),
) -> list[CommonTime]:  # fmt: skip
    """The first times of `length` seconds within `openings`, the hours of all who have to come (`common_hours`): those for
    everybody before those for all who have to. None begins before `now`, and no two overlap. `zone`: whose days are counted;
    `optional_hours`: of the others, None where they are not known."""
    certain, possible = (_Line((span for one in required for span in one), least) for least in (1, 2))
    hours = [*optional_hours, *(None for _one in optional[len(optional_hours) :])]
    others = [(_Line(one, 1), None if own is None else _Hours(own)) for one, own in zip(optional, hours, strict=True)]
    best: list[CommonTime] = []
    rest: list[CommonTime] = []
    counts: Counter[tuple[bool, date]] = Counter()
    for opening, closing, _place in openings:
        for found, fits in ((best, True), (rest, False)):
            start, day = opening, (fits, datetime.fromtimestamp(opening, zone).date())
            while counts[day] < _MOST_A_DAY and len(found) < MOST and start + length <= closing:
                end = start + length
                if start >= now and possible.is_free(start, end):
                    without = tuple(at for at, (line, own) in enumerate(others) if not _suits(line, own, start, end))
                    unsure = not certain.is_free(start, end)
                    if (not without and not unsure) is fits:
                        found.append(CommonTime(start, end, without, unsure))
                        counts[day] += 1
                        start += max(length, STEP) - STEP
                start += STEP
        if len(best) >= MOST:
            break
    return [*best, *rest[: MOST - len(best)]]


def _suits(line: _Line, hours: _Hours | None, start: int, end: int) -> bool:
    return line.is_free(start, end) and (hours is None or hours.cover(start, end))


def common_hours(people: Sequence[Sequence[WorkSpan]]) -> list[WorkSpan]:
    """The hours in which all of these people work."""
    found: list[WorkSpan] = list(people[0]) if people else []
    for hours in people[1:]:
        found = [
            WorkSpan(start, end)
            for one in found
            for other in hours
            if (start := max(one.start, other.start)) < (end := min(one.end, other.end))
        ]
    return found
