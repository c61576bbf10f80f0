"""Time search: the grid of a day or a week for the guests of an event, and the first times that suit them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta, tzinfo

from webmail.calendar.display.happenings import midnight
from webmail.calendar.display.periods import Period
from webmail.calendar.free_busy import busy_people, common_times, day_grid
from webmail.calendar.free_busy.busy_people import BusySpan, PersonTimes
from webmail.calendar.free_busy.common_times import CommonTime
from webmail.calendar.free_busy.day_grid import GridPiece
from webmail.calendar.guests.guest_list import TypedGuest
from webmail.config.settings import Settings
from webmail.mail import Address
from webmail.models import User


@dataclass(slots=True)
class GridRow:
    """Somebody's day in pieces, or their week in days."""

    person: Address
    optional: bool
    is_known: bool
    pieces: list[GridPiece] = field(default_factory=list)
    days: list[list[BusySpan]] = field(default_factory=list)


@dataclass(slots=True)
class TimeSearch:
    """What is shown. `hours`: from when until when of a day's grid; `everybody`: all who have to come, as one row."""

    period: Period
    hours: range
    rows: list[GridRow]
    everybody: GridRow
    common: list[CommonTime]
    unknown: int  # people whose times nobody here can tell

    @property
    def parts(self) -> int:
        return day_grid.PARTS


def search(
    user: User, guests: Sequence[TypedGuest], period: Period, length: int, typed_hours: tuple[int, int] | None, zone: tzinfo,
    now: int, settings: Settings, without: str = "",
) -> TimeSearch:  # fmt: skip
    """The times of the person and of these guests. `length` of the event, in seconds;
    `typed_hours`: those that it takes now; `without`: its UID.

    The queries of `busy_people.times_of`.
    """
    first = max(period.day, date.fromtimestamp(now))
    last = max(first + timedelta(days=common_times.DAYS), period.last)
    me = Address(user.name, user.address)
    others = [one for one in guests if one.key != user.address]
    start, end = midnight(period.first, zone), midnight(last + timedelta(days=1), zone)
    start, people = min(start, midnight(first, zone)), [me, *(one.person for one in others)]
    times = busy_people.times_of(user, people, start, end, zone, settings, without)
    optional = [False, *(one.optional for one in others)]
    hours = _hours(typed_hours)
    edges = _edges(period, hours, zone)
    rows = [_row(one, is_optional, period, edges) for one, is_optional in zip(times, optional, strict=False)]
    must, may = ([one.spans for one, other in zip(times, optional, strict=False) if other is wanted] for wanted in (False, True))
    all_spans = PersonTimes(Address("", ""), True, sorted(one._replace(title="") for spans in must for one in spans))
    found = common_times.first_times(must, may, length, first, zone, now)
    unknown = sum(not one.is_known for one in times)
    return TimeSearch(period, range(*hours), rows, _row(all_spans, False, period, edges), found, unknown)


def _hours(typed: tuple[int, int] | None) -> tuple[int, int]:
    """The hours of the grid: those of work, and those of the event as it is typed."""
    first, last = common_times.WORK
    return (min(first, typed[0]), max(last, typed[1])) if typed else (first, last)


def _edges(period: Period, hours: tuple[int, int], zone: tzinfo) -> list[int]:
    """Between which moments the columns are: parts of hours, or days."""
    if period.view == "day":
        return day_grid.columns(period.day, zone, hours)
    return [midnight(day, zone) for day in (*period.days, period.last + timedelta(days=1))]


def _row(times: PersonTimes, optional: bool, period: Period, edges: list[int]) -> GridRow:
    row = GridRow(times.person, optional, times.is_known)
    if period.view == "day":
        row.pieces = day_grid.pieces(times.spans, edges)
    else:
        row.days = [day_grid.of_day(times.spans, *edge) for edge in zip(edges[:-1], edges[1:], strict=True)]
    return row
