"""The week of a room or thing: by day, who has it from when until when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any

import peewee as pw

from webmail.calendar import editing
from webmail.calendar.rooms.bookings import touching
from webmail.calendar.rooms.public_titles import public_titles
from webmail.models import CalendarObject, Resource, ResourceBooking, ResourceUse, User

_MOST = 2000


@dataclass(frozen=True, slots=True)
class WeekBooking:
    """One booking as the reader may see it: the title only of events in calendars that they can read."""

    begins: datetime
    ends: datetime
    person: str
    title: str
    is_pending: bool
    calendar: int
    href: str
    at: str


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


def bookings_of(resource: Resource, first: date, days: int, zone: tzinfo, reader: User) -> dict[date, list[WeekBooking]]:
    """By each of these days, by the reader's clock. 5 queries."""
    begin, end = (datetime.combine(one, time(), zone) for one in (first, first + timedelta(days=days)))
    event = (CalendarObject.id, CalendarObject.collection, CalendarObject.href)
    rows: Any = (
        ResourceBooking.select(ResourceBooking, ResourceUse, User, *event)
        .join(ResourceUse)
        .join(User, pw.JOIN.LEFT_OUTER)
        .switch(ResourceUse)
        .join(CalendarObject)
        .where(ResourceBooking.resource == resource.id, touching(int(begin.timestamp()), int(end.timestamp())))
        .order_by(ResourceBooking.start)
        .limit(_MOST)
    )
    found = list(rows)
    readable = {one.collection.id for one in editing.calendars(reader) if one.reads and not one.private}
    titles = public_titles({row.use.object_id for row in found if row.use.object.collection_id in readable})
    by_day: dict[date, list[WeekBooking]] = {first + timedelta(days=number): [] for number in range(days)}
    for row in found:
        begins, ends = (datetime.fromtimestamp(at, zone) for at in (row.start, row.end))
        taken = row.use.object
        title = titles.get((taken.id, row.recurrence_id), titles.get((taken.id, ""), ""))
        person = row.use.user
        told = WeekBooking(
            begins, ends, (person.name or person.address) if person else "", title, bool(row.pending),
            taken.collection_id if taken.collection_id in readable else 0, taken.href, row.recurrence_id,
        )  # fmt: skip
        for day, several in by_day.items():
            if begins.date() <= day and ends > datetime.combine(day, time(), zone):
                several.append(told)
    return by_day
