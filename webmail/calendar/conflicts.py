"""Conflicts: what else a person has when an event takes place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from webmail.mime.formats.calendars import event_edit
from webmail.mime.formats.calendars.component_tree import BrokenTextError
from webmail.mime.formats.recurrence.series import CannotChangeError, series_of
from webmail.models import CalendarObject, Occurrence

MOST = 3


@dataclass(frozen=True, slots=True)
class Conflict:
    calendar: int
    href: str
    at: str
    title: str
    begins: datetime
    ends: datetime


def conflicts(calendars: Sequence[int], text: str) -> list[Conflict]:
    """What takes time in these calendars while an event takes place (of a series: its first time), at most MOST, without days
    that are taken wholly. 1 query."""
    span = _span(text)
    if span is None or not calendars:
        return []
    uid, start, end = span
    columns = (Occurrence.collection, CalendarObject.href, Occurrence.recurrence_id, Occurrence.summary, Occurrence.start,
               Occurrence.end)  # fmt: skip
    rows: Any = Occurrence.select(*columns).join(CalendarObject).where(
        Occurrence.collection.in_(list(calendars)), Occurrence.start < end, Occurrence.end > start, Occurrence.busy > 0,
        Occurrence.whole_day == 0, Occurrence.status != "CANCELLED", CalendarObject.uid != uid,
    )  # fmt: skip
    found = rows.order_by(Occurrence.start).limit(MOST).tuples()
    return [
        Conflict(calendar, href, at, title, datetime.fromtimestamp(begins, UTC), datetime.fromtimestamp(ends, UTC))
        for calendar, href, at, title, begins, ends in found
    ]


def _span(text: str) -> tuple[str, int, int] | None:
    """The UID, and from when until when, in seconds since 1970; None for whole days."""
    try:
        series = series_of(text)
        event = series.master or series.overrides[0]
        start = event_edit.stamp_of(event.first("DTSTART"), series.root)
        fields = event_edit.read(event, series.root)
        if start is None or start.is_day:
            return None
        begins, ends = start.instant(), event_edit.Stamp(fields.end, start.zone, start.tzid, start.tz).instant()
        return event.value("UID"), _seconds(begins), _seconds(ends)
    except (CannotChangeError, BrokenTextError, ValueError, OverflowError):
        return None


def _seconds(moment: date | datetime) -> int:
    return int(moment.timestamp()) if isinstance(moment, datetime) else 0
