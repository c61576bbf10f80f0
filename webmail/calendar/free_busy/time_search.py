"""Time search: the grid of a day or a week for the guests of an event, and the first times that suit them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo

from webmail.calendar.display.happenings import midnight
from webmail.calendar.display.periods import Period
from webmail.calendar.free_busy import busy_people, common_times, day_grid, outside_times, service_times, working_hours
from webmail.calendar.free_busy.busy_people import BusySpan, PersonTimes
from webmail.calendar.free_busy.common_times import CommonTime
from webmail.calendar.free_busy.day_grid import GridPiece
from webmail.calendar.free_busy.outside_times import OutsideTimes
from webmail.calendar.free_busy.working_hours import WorkSpan, WorkWeek
from webmail.calendar.guests.guest_list import TypedGuest
from webmail.config.settings import Settings
from webmail.mail import Address
from webmail.mime.headers.address_input import address_key
from webmail.models import User

_DAY = timedelta(days=1)


@dataclass(slots=True)
class GridRow:
    """Somebody's day in pieces, or their week in days. `week`: when they work, if they said so; `hours`: that, day by day;
    `outside`: what is known of somebody outside who publishes their times, or of whom a service tells; `away`: how many hours
    their clock is ahead (`working_hours.hours_away`), none where it is the same."""

    person: Address
    optional: bool
    is_known: bool
    pieces: list[GridPiece] = field(default_factory=list)
    days: list[list[BusySpan]] = field(default_factory=list)
    week: WorkWeek | None = None
    hours: list[list[WorkSpan]] = field(default_factory=list)
    outside: OutsideTimes | None = None
    away: list[float] = field(default_factory=list)


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
    now: int, settings: Settings, without: str = "", *, wide: bool = False,
) -> TimeSearch:  # fmt: skip
    """The times of the person and of these guests. `length` of the event, in seconds; `typed_hours`: those that it takes now;
    `without`: its UID; `wide`: the hours of a day are shown that anybody's events take.

    The queries of `busy_people.times_of`.
    """
    first = max(period.day, date.fromtimestamp(now))
    last = max(first + timedelta(days=common_times.DAYS), period.last)
    me = Address(user.name, user.address)
    others = [one for one in guests if one.key != user.address]
    start, end = midnight(period.first, zone), midnight(last + timedelta(days=1), zone)
    start, people = min(start, midnight(first, zone)), [me, *(one.person for one in others)]
    times = busy_people.times_of(user, people, start, end, zone, settings, without)
    outside = _from_outside(user, times, start, midnight(period.last + _DAY, zone), settings)
    optional = [False, *(one.optional for one in others)]
    open_hours = [None if one.week is None else one.week.between(first - _DAY, last) for one in times]
    must = [hours for hours, other in zip(open_hours, optional, strict=False) if hours is not None and not other]
    together = common_times.common_hours(must)
    hours = _hours(typed_hours, [one for one in times if one.week is not None and one.week.chosen], period, zone)
    if wide:
        hours = _widened(hours, times, period, zone)
    edges = _edges(period, hours, zone)
    rows = [_row(one, is_optional, period, edges, zone) for one, is_optional in zip(times, optional, strict=False)]
    for row in rows:
        row.outside = outside.get(address_key(row.person.email))
    needed, may = (
        [one.spans for one, other in zip(times, optional, strict=False) if other is wanted] for wanted in (False, True)
    )
    all_spans = PersonTimes(Address("", ""), True, sorted(one._replace(title="") for spans in needed for one in spans))
    found = common_times.first_times(
        needed, may, length, max(now, midnight(first, zone)), together, zone,
        [own for own, other in zip(open_hours, optional, strict=False) if other],
    )  # fmt: skip
    unknown = sum(not one.is_known for one in times)
    everybody = _row(all_spans, False, period, edges, zone)
    if period.view == "day" and any(row.week for row in rows if not row.optional):
        everybody.pieces = day_grid.pieces(all_spans.spans, edges, together)
    return TimeSearch(period, range(*hours), rows, everybody, found, unknown)


def _from_outside(
    user: User, times: Sequence[PersonTimes], start: int, end: int, settings: Settings
) -> dict[str, OutsideTimes]:  # fmt: skip
    """What people outside publish, or a service of the person's tells of them, becomes their times, as far as it is known."""
    unknown = {address_key(one.person.email): one for one in times if not one.is_known}
    found = outside_times.times_of(user, list(unknown), start, end) if unknown and settings.calendar_subscriptions else {}
    found |= service_times.times_of(user, [key for key in unknown if key not in found], start, end, settings)
    for key, known in found.items():
        if known.covers:
            unknown[key].is_known, unknown[key].spans = True, list(known.spans)
    return found


def _hours(typed: tuple[int, int] | None, people: Sequence[PersonTimes], period: Period, zone: tzinfo) -> tuple[int, int]:
    """The hours of the grid: the usual ones, those of the event as it is typed, and those in which people say that they work."""
    first, last = common_times.WORK
    begins, ends = midnight(period.day, zone), midnight(period.day + _DAY, zone)
    for one in people:
        for span in one.week.between(period.day - _DAY, period.day + _DAY) if one.week else ():
            if span.start < ends and span.end > begins:
                first = min(first, datetime.fromtimestamp(max(span.start, begins), zone).hour)
                last = max(last, 24 if span.end >= ends else _whole(datetime.fromtimestamp(span.end, zone)))
    return (min(first, typed[0]), max(last, typed[1])) if typed else (first, last)


def _widened(hours: tuple[int, int], times: Sequence[PersonTimes], period: Period, zone: tzinfo) -> tuple[int, int]:
    """With what begins or ends on the day, earlier or later."""
    first, last = hours
    begins, ends = midnight(period.day, zone), midnight(period.day + _DAY, zone)
    for span in (one for person in times for one in person.spans):
        if begins < span.start < ends:
            first = min(first, datetime.fromtimestamp(span.start, zone).hour)
            last = max(last, 24 if span.end >= ends else _whole(datetime.fromtimestamp(span.end, zone)))
        elif begins < span.end < ends:
            last = max(last, _whole(datetime.fromtimestamp(span.end, zone)))
    return first, last


def _whole(at: datetime) -> int:
    return at.hour + bool(at.minute)


def _edges(period: Period, hours: tuple[int, int], zone: tzinfo) -> list[int]:
    """Between which moments the columns are: parts of hours, or days."""
    if period.view == "day":
        return day_grid.columns(period.day, zone, hours)
    return [midnight(day, zone) for day in (*period.days, period.last + timedelta(days=1))]


def _row(times: PersonTimes, optional: bool, period: Period, edges: list[int], zone: tzinfo) -> GridRow:
    row = GridRow(times.person, optional, times.is_known)
    days = [period.day] if period.view == "day" else period.days
    if times.week is not None:
        away = working_hours.hours_away(zone, times.week.zone, days)
        row.away = away if any(away) else []
    spans: list[WorkSpan] | None = None
    if times.week is not None and times.week.chosen:
        row.week, spans = times.week, times.week.between(days[0] - _DAY, days[-1] + _DAY)
        row.hours = [_on(spans, midnight(day, zone), midnight(day + _DAY, zone)) for day in days]
    if period.view == "day":
        row.pieces = day_grid.pieces(times.spans, edges, spans)
    else:
        row.days = [day_grid.of_day(times.spans, *edge) for edge in zip(edges[:-1], edges[1:], strict=True)]
    return row


def _on(spans: Sequence[WorkSpan], start: int, end: int) -> list[WorkSpan]:
    """Hours of work on a day of the reader's."""
    return [
        one._replace(start=max(one.start, start), end=min(one.end, end)) for one in spans if one.start < end and one.end > start
    ]
