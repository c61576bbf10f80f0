"""Common times: the first times at which everybody can come, within working hours. No database, no words."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

from webmail.calendar.free_busy.busy_people import BusySpan

STEP = 30 * 60  # seconds between the times that are looked at
DAYS = 14  # that are looked at
WORK = (8, 18)  # the hours of a working day, Monday to Friday
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


def first_times(
    required: Sequence[Sequence[BusySpan]], optional: Sequence[Sequence[BusySpan]], length: int, first: date, zone: tzinfo,
    now: int, hours: tuple[int, int] = WORK,
) -> list[CommonTime]:  # fmt: skip
    """The first times of `length` seconds from the day `first` on: those for everybody before those for all who have to come.
    None begins before `now`, and no two overlap."""
    certain, possible = (_Line((span for one in required for span in one), least) for least in (1, 2))
    others = [_Line(one, 1) for one in optional]
    best: list[CommonTime] = []
    rest: list[CommonTime] = []
    for opening, closing in _days(first, zone, hours):
        for found, fits in ((best, True), (rest, False)):
            count, start = 0, opening
            while count < _MOST_A_DAY and len(found) < MOST and start + length <= closing:
                if start >= now and possible.is_free(start, start + length):
                    without = tuple(at for at, one in enumerate(others) if not one.is_free(start, start + length))
                    unsure = not certain.is_free(start, start + length)
                    if (not without and not unsure) is fits:
                        found.append(CommonTime(start, start + length, without, unsure))
                        count, start = count + 1, start + max(length, STEP) - STEP
                start += STEP
        if len(best) >= MOST:
            break
    return [*best, *rest[: MOST - len(best)]]


def _days(first: date, zone: tzinfo, hours: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """When work begins and ends on the working days."""
    for more in range(DAYS):
        day = first + timedelta(days=more)
        if day.weekday() < 5:
            yield _at(day, hours[0], zone), _at(day, hours[1], zone)


def _at(day: date, hour: int, zone: tzinfo) -> int:
    return int(datetime.combine(day, time(), tzinfo=zone).replace(hour=hour).timestamp())
