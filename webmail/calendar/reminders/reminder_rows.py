"""Reminder rows: which events a worker has to look at for reminders. Written with the event, in the same transaction."""

from __future__ import annotations

import time
from typing import Any

import peewee as pw

from webmail.collections import store as collections
from webmail.database.again import begun_again
from webmail.database.connection import db
from webmail.mime.formats.calendars import alarms
from webmail.models import CalendarObject, Collection, IndexFill, NextReminder, User

_LATEST = 62 * 86_400  # seconds after an event: later nothing reminds of it
_FILL = "reminders"
_PIECE = 500


def follow(calendar: int, number: int, text: str, last: int, *, new: bool) -> None:
    """Have an event of a calendar (both by `id`), which ends at the latest at `last`, looked at for reminders if it has any. At
    most 1 query.

    What was due before this moment and has not come yet still comes; nothing else from before does.
    """
    at = int(time.time())
    if alarms.has_alarms(text) and last > at - _LATEST:
        insert = NextReminder.insert(object=number, due=0, upto=at, owner=_owner(calendar))
        insert.on_conflict(conflict_target=[NextReminder.object], update={"due": 0, "upto": _done_upto(at)}).execute()
    elif not new:
        NextReminder.delete().where(NextReminder.object == number).execute()


def moved(number: int, calendar: int) -> None:
    """Say that an event is in this calendar now (both by `id`). 1 query."""
    NextReminder.update(owner=_owner(calendar)).where(NextReminder.object == number).execute()


def owner_changed(calendar: int) -> None:
    """Have somebody else reminded of a calendar's events: its owner now, by their own clock. 1 query."""
    events = CalendarObject.select(CalendarObject.id).where(CalendarObject.collection == calendar)
    again = NextReminder.update(owner=_owner(calendar), due=0, upto=_done_upto(int(time.time())))
    again.where(NextReminder.object.in_(events)).execute()


def _owner(calendar: int) -> Any:
    return Collection.select(Collection.user).where(Collection.id == calendar)


def _done_upto(at: int) -> Any:
    return pw.Case(None, [(NextReminder.due > at, at)], NextReminder.upto)


@begun_again
def look_again(user: User) -> None:
    """Have all of a person's events looked at again: they go by another clock now. 1 transaction."""
    calendars: Any = Collection.select(Collection.id).where(Collection.user == user, Collection.kind == collections.CALENDAR)
    with db.atomic():
        collections.lock([number for (number,) in calendars.tuples()])
        mine = CalendarObject.select(CalendarObject.id).where(CalendarObject.collection.in_(calendars))
        again = NextReminder.update(due=0, upto=_done_upto(int(time.time())))
        again.where(NextReminder.object.in_(mine)).execute()


def to_fill(name: str = _FILL) -> Any:
    """The query for what `fill` goes on with, or what fills another index."""
    return IndexFill.select().where(IndexFill.name == name)


def fill() -> int:
    """Have the events looked at that were there before reminders were, piece by piece; returns how many."""
    count = 0
    while (state := to_fill().first()) is not None:
        at = int(time.time())
        rest = (CalendarObject.id > state.upto) & (CalendarObject.id <= state.until)
        due: Any = CalendarObject.select(CalendarObject.id).where(rest, CalendarObject.last > at - _LATEST)
        ids = [number for (number,) in due.order_by(CalendarObject.id).limit(_PIECE).tuples()]
        with db.atomic():
            where: Any = CalendarObject.select(CalendarObject.collection).where(CalendarObject.id.in_(ids)).distinct()
            collections.lock([number for (number,) in where.tuples()])
            alarmed: Any = CalendarObject.select(CalendarObject.id).where(
                CalendarObject.id.in_(ids), CalendarObject.component == "VEVENT", CalendarObject.text.contains("BEGIN:VALARM")
            )
            rows = [{"object": number, "due": 0, "upto": at} for (number,) in alarmed.tuples()]
            if rows:
                NextReminder.insert_many(rows).on_conflict_ignore().execute()
            if len(ids) < _PIECE:
                IndexFill.delete().where(IndexFill.id == state.id).execute()
            else:
                IndexFill.update(upto=ids[-1]).where(IndexFill.id == state.id).execute()
        count += len(rows)
    return count
