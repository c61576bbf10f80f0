"""Calendar editing: finds an event that somebody may see, and changes what is in a calendar from pages, with undo."""

from __future__ import annotations

from webmail.collections import store as collections
from webmail.collections.store import Access
from webmail.models import CalendarObject, User


class NoSuchEvent(LookupError):
    """The event no longer exists, or is in no calendar of this person."""


def calendars(user: User) -> list[Access]:
    """The calendars that a person has, their own first. 2 queries."""
    return [one for one in collections.accessible(user) if one.collection.kind == collections.CALENDAR]


def load(user: User, calendar: int, href: str) -> tuple[Access, CalendarObject]:
    """An event by its calendar's `id` and its name there. 3 queries. Raises NoSuchEvent."""
    access = next((one for one in calendars(user) if one.collection.id == calendar), None)
    row = CalendarObject.get_or_none(CalendarObject.collection == calendar, CalendarObject.href == href) if access else None
    if access is None or row is None or row.component != "VEVENT":
        raise NoSuchEvent(f"no event {href[:60]!r} in calendar {calendar}")
    return access, row
