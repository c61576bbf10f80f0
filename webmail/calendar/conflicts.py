"""Conflicts: what else a person has when an event takes place: once, or on the next dates of a series."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import reduce
from operator import or_
from typing import Any

from webmail.mime.formats.calendars import calendar_object, event_edit
from webmail.mime.formats.calendars.calendar_object import UnusableCalendarError
from webmail.mime.formats.calendars.component_tree import BrokenTextError
from webmail.mime.formats.recurrence import occurrences
from webmail.mime.formats.recurrence.series import CannotChangeError, series_of
from webmail.models import CalendarObject, Occurrence

MOST = 3
MOST_DATES = 50  # of a series, the next ones
_AHEAD = int(timedelta(days=366).total_seconds())
_MOST_ROWS = 500
Span = tuple[int, int]  # from when until when, in seconds since 1970


@dataclass(frozen=True, slots=True)
class Conflict:
    calendar: int
    href: str
    at: str
    title: str
    begins: datetime
    ends: datetime


@dataclass(frozen=True, slots=True)
class Conflicts:
    """The first MOST; on how many of the `dates` that were looked at there is one."""

    found: list[Conflict] = field(default_factory=list)
    clashing: int = 0
    dates: int = 0


def conflicts(calendars: Sequence[int], text: str, floating: tzinfo, at: Sequence[str] = ()) -> Conflicts:
    """What takes time in these calendars while an event takes place, without days that are taken wholly. `at`: the dates of a
    series that it is about (RECURRENCE-ID), none for the next ones of all. 1 query."""
    uid, spans = _spans(text, floating, at)
    if not spans or not calendars:
        return Conflicts()
    columns = (Occurrence.collection, CalendarObject.href, Occurrence.recurrence_id, Occurrence.summary, Occurrence.start,
               Occurrence.end)  # fmt: skip
    meanwhile = reduce(or_, ((Occurrence.start < end) & (Occurrence.end > start) for start, end in spans))
    rows: Any = Occurrence.select(*columns).join(CalendarObject).where(
        Occurrence.collection.in_(list(calendars)), Occurrence.start < max(end for _start, end in spans),
        Occurrence.end > min(start for start, _end in spans), Occurrence.busy > 0,
        Occurrence.whole_day == 0, Occurrence.status != "CANCELLED", CalendarObject.uid != uid, meanwhile,
    )  # fmt: skip
    found = list(rows.order_by(Occurrence.start).limit(_MOST_ROWS).tuples())
    clashing = sum(any(begins < end and ends > start for *_about, begins, ends in found) for start, end in spans)
    named = [
        Conflict(calendar, href, which, title, datetime.fromtimestamp(begins, UTC), datetime.fromtimestamp(ends, UTC))
        for calendar, href, which, title, begins, ends in found[:MOST]
    ]
    return Conflicts(named, clashing, len(spans))


def _spans(text: str, floating: tzinfo, at: Sequence[str]) -> tuple[str, list[Span]]:
    """The UID, and from when until when; nothing for whole days."""
    try:
        series = series_of(text)
        event = series.master or series.overrides[0]
        start = event_edit.stamp_of(event.first("DTSTART"), series.root)
        if start is None or start.is_day:
            return "", []
        if series.recurs:
            first = max(int(time.time()), _seconds(start.instant()))
            return event.value("UID"), _next(text, first, floating, at)
        fields = event_edit.read(event, series.root)
        begins, ends = start.instant(), event_edit.Stamp(fields.end, start.zone, start.tzid, start.tz).instant()
        return event.value("UID"), [(_seconds(begins), _seconds(ends))]
    except (CannotChangeError, BrokenTextError, UnusableCalendarError, ValueError, OverflowError):
        return "", []


def _next(text: str, begins: int, floating: tzinfo, at: Sequence[str]) -> list[Span]:
    takings = [one for one in occurrences.expand(calendar_object.read(text), begins, begins + _AHEAD, floating).takings
               if one.status != "CANCELLED" and not one.whole_day]  # fmt: skip
    takings = [one for one in takings if one.recurrence_id in at] or takings
    return sorted((one.start, one.end) for one in takings)[:MOST_DATES]


def _seconds(moment: date | datetime) -> int:
    return int(moment.timestamp()) if isinstance(moment, datetime) else 0
