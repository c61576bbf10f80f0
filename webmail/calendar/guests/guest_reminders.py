"""Guest reminders: of which events the guests who have not replied are reminded two days before, and when that is due.

Each is reckoned again when its event has another `seq`, whoever changed it: a page, a telephone, a reply.
"""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import peewee as pw

from webmail.models import CalendarObject, GuestReminder, Occurrence, User

BEFORE = int(timedelta(days=2).total_seconds())
_LATER = int(timedelta(days=20).total_seconds())  # until an event is looked at again of which no time is known yet


def choose(user: User, calendar: int, href: str, *, wanted: bool) -> None:
    """Have the guests of an event reminded, or not; what is due already comes no more. In the transaction that writes the event.
    2 queries, 4 the first time."""
    row = CalendarObject.get_or_none(CalendarObject.collection == calendar, CalendarObject.href == href)
    if row is None:
        return
    if not wanted or "ATTENDEE" not in row.text.upper():
        GuestReminder.delete().where(GuestReminder.object == row).execute()
        return
    at = int(time.time())
    if (due := due_of(row, at)) > at:
        insert = GuestReminder.insert(object=row, user=user, due=due, seq=row.seq)
        insert.on_conflict_ignore().execute()


def is_chosen(row: CalendarObject) -> bool:
    """1 query."""
    return bool(GuestReminder.select().where(GuestReminder.object == row).exists())


def due_of(row: CalendarObject, at: int) -> int:
    """When the next that takes place is two days away; 0 where nothing does any more. 1 query."""
    mine = (Occurrence.object == row) & (Occurrence.start > at) & (Occurrence.status != "CANCELLED")
    start: int | None = Occurrence.select(pw.fn.MIN(Occurrence.start)).where(mine).scalar()
    if start is None:
        return at + _LATER if row.last > at + _LATER else 0
    return start - BEFORE


def to_look_at(at: int | None = None) -> Any:
    """The query for those that are due, or whose event was changed."""
    moment = int(time.time()) if at is None else at
    wanted = (GuestReminder.due <= moment) | (GuestReminder.seq != CalendarObject.seq)
    return GuestReminder.select(GuestReminder.id).join(CalendarObject).where(wanted)


def claimed(row: GuestReminder) -> bool:
    """Take a reminder out, once, whoever else does: in the transaction that sends it."""
    return bool(GuestReminder.delete().where(GuestReminder.id == row.id, GuestReminder.due == row.due).execute())


def put_off(row: GuestReminder, due: int, seq: int) -> None:
    same = (GuestReminder.id == row.id) & (GuestReminder.due == row.due)
    GuestReminder.update(due=due, seq=seq).where(same).execute()
