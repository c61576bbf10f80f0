"""Meetings with somebody: the next events of a person's own calendars to which one of these addresses is invited, or invites."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import peewee as pw

from webmail.calendar import editing
from webmail.mime.formats.calendars import calendar_object
from webmail.mime.formats.calendars.calendar_object import UnusableCalendarError
from webmail.mime.headers.address_input import address_key
from webmail.models import CalendarObject, Occurrence, User

_LOOKED_AT = 300  # events with guests, the next ones
_PIECE = 30
_PEOPLE = ("ATTENDEE", "ORGANIZER")


@dataclass(frozen=True, slots=True)
class Meeting:
    """`day` of one that takes whole days, else `begins` (UTC, with its zone)."""

    calendar: int
    href: str
    at: str  # which one of an event that recurs: its RECURRENCE-ID
    summary: str
    location: str
    begins: datetime
    day: date | None


def next_with(user: User, addresses: Sequence[str], most: int) -> list[Meeting]:
    """The next of each event, not over yet, the soonest first. 4 queries, and 1 for every 30 events with guests."""
    calendars = [one.collection.id for one in editing.calendars(user) if one.rights == "own"]
    wanted = {address_key(address) for address in addresses}
    if not calendars or not wanted:
        return []
    due = _due(calendars)
    chosen: list[tuple[int, int]] = []
    for at in range(0, len(due), _PIECE):
        piece = due[at : at + _PIECE]
        texts: Any = CalendarObject.select(CalendarObject.id, CalendarObject.text)
        by_id = dict(texts.where(CalendarObject.id.in_([number for number, _start in piece])).tuples())
        chosen += [(number, start) for number, start in piece if wanted & _people(by_id.get(number, ""))]
        if len(chosen) >= most:
            break
    return _told(chosen[:most])


def _due(calendars: Sequence[int]) -> list[tuple[int, int]]:
    """The events with guests that are not over (by `id`), and when the next one of each begins."""
    guests = CalendarObject.text.contains("ATTENDEE") | CalendarObject.text.contains("ORGANIZER")
    begins = pw.fn.MIN(Occurrence.start)
    found: Any = (
        Occurrence.select(Occurrence.object, begins)
        .join(CalendarObject)
        .where(Occurrence.collection.in_(calendars), Occurrence.end > int(time.time()), Occurrence.status != "CANCELLED", guests)
        .group_by(Occurrence.object)
        .order_by(begins, Occurrence.object)
        .limit(_LOOKED_AT)
    )
    return list(found.tuples())


def _people(text: str) -> set[str]:
    """The addresses of all who take part, normalised for comparison."""
    try:
        lines = [line.value.strip() for line in calendar_object.lines_of(text) if line.name in _PEOPLE]
    except UnusableCalendarError:
        return set()
    return {address_key(value[7:]) for value in lines if value.lower().startswith("mailto:")}


def _told(chosen: Sequence[tuple[int, int]]) -> list[Meeting]:
    columns = (
        Occurrence.object, Occurrence.start, Occurrence.collection, CalendarObject.href, Occurrence.recurrence_id,
        Occurrence.summary, Occurrence.location, Occurrence.whole_day,
    )  # fmt: skip
    numbers, starts = [number for number, _start in chosen], [start for _number, start in chosen]
    found: Any = Occurrence.select(*columns).join(CalendarObject)
    found = found.where(Occurrence.object.in_(numbers), Occurrence.start.in_(starts)).tuples()
    rows = {(number, start): _meeting(start, *more) for number, start, *more in found}
    return [rows[key] for key in chosen if key in rows]


def _meeting(start: int, calendar: int, href: str, at: str, summary: str, location: str, whole_day: int) -> Meeting:
    begins = datetime.fromtimestamp(start, UTC)
    return Meeting(calendar, href, at, summary, location, begins, begins.date() if whole_day else None)
