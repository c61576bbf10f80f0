"""The grid of a day or a week: for each person, when they are free, busy or perhaps, in pieces as wide as they last."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta, tzinfo
from typing import NamedTuple

from webmail.calendar.free_busy.busy_people import BusySpan
from webmail.calendar.free_busy.working_hours import WorkSpan

PARTS = 2  # columns of an hour
OUTSIDE = 4  # the level of free time in which somebody does not work


class GridPiece(NamedTuple):
    """Some columns side by side in which somebody is equally busy. `start` and `end`: of what takes the time."""

    width: int
    level: int
    start: int = 0
    end: int = 0
    title: str = ""


def columns(day: date, zone: tzinfo, hours: tuple[int, int]) -> list[int]:
    """When the columns of a day begin, and the last one ends, in seconds since 1970."""
    midnight = datetime.combine(day, time())
    steps = range(hours[0] * PARTS, hours[1] * PARTS + 1)
    return [int((midnight + timedelta(minutes=60 // PARTS * one)).replace(tzinfo=zone).timestamp()) for one in steps]


def pieces(spans: Iterable[BusySpan], edges: Sequence[int], hours: Sequence[WorkSpan] | None = None) -> list[GridPiece]:
    """A row of the grid of a day. `hours`: in which they work, None where that is not said."""
    last = len(edges) - 1
    works = [hours is None or any(one.start < edges[at + 1] and one.end > edges[at] for one in hours) for at in range(last)]
    levels: list[BusySpan | None] = [None] * last
    for span in (one for one in spans if one.start < edges[-1] and one.end >= edges[0]):
        for at in range(max(bisect_right(edges, span.start) - 1, 0), last):
            if span.start < edges[at + 1] and max(span.end, span.start + 1) > edges[at]:
                known = levels[at]
                if known is None or known.level < span.level:
                    levels[at] = span
    found: list[GridPiece] = []
    held: list[BusySpan] = []
    for at, taken in enumerate(levels):
        level, title = (taken.level, taken.title) if taken else (0 if works[at] else OUTSIDE, "")
        before, width = found[-1] if found else None, 1
        if before is not None and (before.level, before.title) == (level, title):
            found.pop()
            width = before.width + 1
        else:
            held = []
        held += [taken] if taken else []
        begins, ends = min((one.start for one in held), default=edges[at]), max((one.end for one in held), default=edges[at])
        found.append(GridPiece(width, level, begins, ends, title))
    return found


def of_day(spans: Iterable[BusySpan], start: int, end: int) -> list[BusySpan]:
    """What of these times, the soonest first, is on a day, without gaps between what follows at once."""
    found: list[BusySpan] = []
    for one in (span for span in spans if span.start < end and span.end > start):
        begins, ends = max(one.start, start), min(one.end, end)
        if found and found[-1].level == one.level and found[-1].title == one.title and begins <= found[-1].end:
            found[-1] = found[-1]._replace(end=max(ends, found[-1].end))
        else:
            found.append(BusySpan(begins, ends, one.level, one.title))
    return found
