"""Rooms in tests: made as administrators make them, booked with events, and what of them is booked."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from webmail.calendar.rooms import resources
from webmail.calendar.rooms.resources import RoomDescription
from webmail.models import Resource, ResourceBooking, ResourceSlot


def day(after: int = 7) -> str:
    """A day to come."""
    return (date.today() + timedelta(days=after)).isoformat()


def room(name: str = "Salle 101", **more: Any) -> Resource:
    return resources.save(RoomDescription(name, **more), "lycee.example")


def booked(resource: Resource | None = None) -> list[tuple[int, int]]:
    """When it is booked, or all of them; each with rows for all of its minutes."""
    rows = ResourceBooking.select().order_by(ResourceBooking.start)
    if resource is not None:
        rows = rows.where(ResourceBooking.resource == resource)
    for one in rows:
        slots = ResourceSlot.select().where(ResourceSlot.booking == one).count()
        assert slots == -(-one.end // 300) - one.start // 300
    return [(one.start, one.end) for one in rows]


def event_text(uid: str, start: str, end: str, *lines: str, rooms: tuple[Resource, ...] = ()) -> str:
    """An event as a telephone writes it; `start` and `end`: what stands after DTSTART and DTEND."""
    invited = [f"ATTENDEE;CUTYPE=ROOM;PARTSTAT=NEEDS-ACTION:mailto:{one.address}" for one in rooms]
    inside = [f"UID:{uid}", "DTSTAMP:20260101T000000Z", f"DTSTART{start}", f"DTEND{end}", f"SUMMARY:{uid}", *invited, *lines]
    return "\r\n".join(
        ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//t//EN", "BEGIN:VEVENT", *inside, "END:VEVENT", "END:VCALENDAR", ""]
    )
