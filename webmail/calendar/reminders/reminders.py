"""Reminders: a worker finds what is due, puts it on the person's pages and writes to them, all in one transaction.

`NextReminder` has a row for each event with alarms, whatever their number: when it has to be looked at next. Only those of a
person's own calendars; an alarm that names addresses writes to the owner alone.
"""

from __future__ import annotations

import logging
import time
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import peewee as pw

from webmail import preferences
from webmail.calendar.reminders import reminder_rows
from webmail.calendar.todos import todo_rows
from webmail.collections import store as collections
from webmail.config.settings import Settings
from webmail.database.again import begun_again
from webmail.database.connection import db
from webmail.mime.formats.calendars import alarms as calendar_alarms
from webmail.mime.formats.calendars.alarms import MAIL, SCREEN, Clock
from webmail.mime.formats.recurrence.occurrences import Taking
from webmail.models import (
    FOR_EVER,
    CalendarObject,
    Collection,
    NextReminder,
    Occurrence,
    ShownReminder,
    SystemMessage,
    Todo,
    User,
    now,
)
from webmail.preferences import Preferences

log = logging.getLogger(__name__)

EVERY = timedelta(seconds=20)
LATE = 3600  # seconds: what comes later than that, of an event that has begun, does not come at all
KEPT = timedelta(days=7)  # on pages
_DAY = 86_400
_AHEAD = 35 * _DAY  # seconds: an event with nothing to remind of until then is looked at again then
_MOST_TIMES = 3000  # that one event takes place, within the time looked at
_PIECE = 200  # events at a time
_MOST_PIECES = 100  # in one sweep
NOTHING_SHOWN = "0"  # the state of pages without reminders
_MOST_STATED = 200


@dataclass(frozen=True, slots=True)
class Reminder:
    """What somebody is reminded of now; `moment` (seconds since 1970) is when the alarm wanted that."""

    object: int
    calendar: int
    href: str
    moment: int
    way: str
    taking: Taking
    component: str = "VEVENT"


@dataclass(slots=True)
class _Look:
    """What was found of an event: what is due now, when it has to be looked at next (0: never), what a device saw already."""

    row: NextReminder
    seq: int
    due: list[Reminder] = field(default_factory=list)
    next: int = 0
    seen: int = 0


Write = Callable[[User, Sequence[Reminder]], SystemMessage | None]


def sweep(settings: Settings, write: Write, at: int | None = None) -> list[int]:
    """Remind of all that is due `at` (now); returns the messages to deliver (by `id`). Short transactions, each of one person.

    `write` queues a message to somebody in the transaction of its caller; None if none can be sent now.
    """
    reminder_rows.fill()
    messages: list[int] = []
    for _piece in range(_MOST_PIECES):
        moment = int(time.time()) if at is None else at
        rows = _due_rows(moment)
        by_owner: dict[int, list[tuple[NextReminder, CalendarObject]]] = {}
        for row, item, owner in rows:
            by_owner.setdefault(owner, []).append((row, item))
        for owner, several in by_owner.items():
            user = User.get_or_none(User.id == owner)
            if user is not None:  # else deleted since the rows were read, which went too
                messages += _remind(user, several, moment, settings, write)
        if len(rows) < _PIECE:
            break
    _forget()
    return messages


def pending() -> list[pw.Query]:
    """What `sweep` looks at, but for what it only forgets."""
    return [NextReminder.select(NextReminder.id).where(NextReminder.due <= int(time.time())), reminder_rows.to_fill()]


@begun_again
def _forget() -> None:
    """Take off all pages what has stood there for long."""
    ShownReminder.delete().where(ShownReminder.since < now() - KEPT).execute()


def _due_rows(at: int) -> list[tuple[NextReminder, CalendarObject, int]]:
    """Rows to look at, with their events and the owners (by `id`). 1 query."""
    rows: Any = (
        NextReminder.select(NextReminder, CalendarObject, Collection.id, Collection.user, Collection.derived)
        .join(CalendarObject)
        .join(Collection)
        .where(NextReminder.due <= at)
        .order_by(NextReminder.due, NextReminder.id)
        .limit(_PIECE)
    )
    return [(row, row.object, row.object.collection.user_id) for row in rows]


@begun_again
def _remind(
    user: User, several: Iterable[tuple[NextReminder, CalendarObject]], at: int, settings: Settings, write: Write
) -> list[int]:
    """Look at these events of a person, and remind them of what is due; returns the message to deliver, if there is one."""
    known = preferences.for_user(user)
    clock = clock_of(known, settings)
    looks = [_look(row, item, clock, at) for row, item in several]
    with db.atomic():
        done = _claimed(looks, at, user.id)
        if not user.active or known.reminders == "off":
            return []
        due = _in_time([one for look in done for one in look.due], at)
        if not due:
            return []
        mailed = [one for one in due if one.way == MAIL or known.reminders == "both"]
        message = write(user, mailed) if mailed else None
        _show(user, due if mailed and message is None else [one for one in due if one.way == SCREEN])
        return [message.id] if message else []


def clock_of(existing: Preferences, settings: Settings) -> Clock:
    """What a person's reminders go by."""
    return Clock(ZoneInfo(existing.time_zone or settings.timezone), existing.remind_hour)


def _look(row: NextReminder, item: CalendarObject, clock: Clock, at: int) -> _Look:
    """What an event has to remind of since it was looked at last. 1 query."""
    look = _Look(row, item.seq)
    alarms = calendar_alarms.alarms_of(item.text)
    if not alarms or item.collection.derived:
        return look
    before, after = calendar_alarms.reach(alarms)
    until = at + _AHEAD
    takings = _takings(item, row.upto - after, until + before)
    for alarm in calendar_alarms.due_alarms(alarms, takings, clock):
        if alarm.due > at:
            look.next = min(look.next or alarm.due, alarm.due)
        elif alarm.due > row.upto:
            reminder = Reminder(item.id, item.collection_id, item.href, alarm.due, alarm.way, alarm.taking, item.component)
            look.due.append(reminder)
    look.seen = max((one.seen for one in alarms.own), default=0)
    if item.component == "VTODO" and not look.next:  # its next date comes with a change
        return look
    if not look.next or look.next > until:
        look.next = until if item.last > at else 0
    return look


def _takings(item: CalendarObject, start: int, end: int) -> list[Taking]:
    """When an object takes place within this time, or is due. 1 query."""
    if item.component == "VTODO":
        found = todo_rows.taking_of(item.id)
        return [found] if found else []
    near = (Occurrence.end >= start) & (Occurrence.start < end)
    times = Occurrence.select().where(Occurrence.object == item.id, near).order_by(Occurrence.start).limit(_MOST_TIMES)
    return [
        Taking(one.start, one.end, bool(one.whole_day), one.recurrence_id, one.summary, one.location, one.busy, one.status)
        for one in times
    ]


def _claimed(looks: Sequence[_Look], at: int, owner: int) -> list[_Look]:
    """Note that these events of a person (by `id`) were looked at; those that nobody changed meanwhile. In a transaction."""
    collections.lock({look.row.object.collection_id for look in looks})  # first of all, like whoever changes events
    mine = []
    for look in sorted(looks, key=lambda one: one.row.id):
        row = look.row
        same = (NextReminder.id == row.id) & (NextReminder.due == row.due) & (NextReminder.upto == row.upto)
        if NextReminder.update(due=look.next, upto=at, owner=owner).where(same).execute():
            mine.append(look)
    numbers: Any = CalendarObject.select(CalendarObject.id, CalendarObject.seq)
    seqs = dict(numbers.where(CalendarObject.id.in_([one.row.object_id for one in mine])).tuples())
    done = []
    for look in mine:
        row = look.row
        if seqs.get(row.object_id) != look.seq:  # changed since it was read: to be looked at again
            NextReminder.update(due=0, upto=row.upto).where(NextReminder.id == row.id).execute()
            continue
        done.append(look)
        if not look.next:
            NextReminder.delete().where(NextReminder.id == row.id).execute()
        if look.seen:
            seen = (ShownReminder.object == row.object_id) & (ShownReminder.due <= look.seen)
            ShownReminder.delete().where(seen).execute()
    return done


def _in_time(due: Iterable[Reminder], at: int) -> list[Reminder]:
    """One for each that takes place, the latest alarm; without what is over by now, as after a long stop of the workers."""
    latest: dict[tuple[int, str, str], Reminder] = {}
    late = 0
    for one in sorted(due, key=lambda one: one.moment):
        ahead = one.taking.end > at if one.taking.whole_day else one.taking.start > at
        if one.moment < at - LATE and not ahead:
            late += 1
            continue
        latest[one.object, one.taking.recurrence_id, one.way] = one
    if late:
        log.warning("%d reminders are more than an hour late, of events that have begun: they don't come any more", late)
    return sorted(latest.values(), key=lambda one: (one.taking.start, one.object))


def _show(user: User, due: Iterable[Reminder]) -> None:
    """Put these on the person's pages; one that stands there already, or was to come later, stands there from now."""
    rows = {
        (one.object, one.taking.recurrence_id): {
            "user": user, "object": one.object, "recurrence_id": one.taking.recurrence_id, "due": one.moment, "since": now(),
        }
        for one in due
    }  # fmt: skip
    if rows:
        target = [ShownReminder.user, ShownReminder.object, ShownReminder.recurrence_id]
        insert = ShownReminder.insert_many(list(rows.values()))
        insert.on_conflict(conflict_target=target, preserve=[ShownReminder.due, ShownReminder.since]).execute()


# --- on pages --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OnPage:
    """A reminder as it stands on a page. `start` and `end` in seconds since 1970; of whole days: midnight UTC."""

    id: int
    calendar: int
    href: str
    at: str
    summary: str
    location: str
    start: int
    end: int
    whole_day: int
    component: str


def due_on_pages(user: User, most: int) -> list[OnPage]:
    """The first of what a person is to be reminded of now, as the events are now. 1 query."""
    when = (Occurrence.object == ShownReminder.object) & (Occurrence.recurrence_id == ShownReminder.recurrence_id)
    either = pw.fn.COALESCE
    day_after = Todo.due + Todo.whole_day * _DAY
    takes_place = Occurrence.id.is_null(False) & (Occurrence.status != "CANCELLED")
    rows: Any = (
        ShownReminder.select(
            ShownReminder.id, CalendarObject.collection, CalendarObject.href, ShownReminder.recurrence_id,
            either(Occurrence.summary, Todo.title), either(Occurrence.location, ""), either(Occurrence.start, Todo.due),
            either(Occurrence.end, day_after), either(Occurrence.whole_day, Todo.whole_day), CalendarObject.component,
        )
        .join(CalendarObject)
        .join(Collection)
        .join(Occurrence, pw.JOIN.LEFT_OUTER, on=when)
        .join(Todo, pw.JOIN.LEFT_OUTER, on=Todo.object == ShownReminder.object)
        .where(
            ShownReminder.user == user, ShownReminder.since <= now(), Collection.user == user,
            takes_place | ((Todo.done == 0) & (Todo.due < FOR_EVER)),
        )
        .order_by(either(Occurrence.start, Todo.due), ShownReminder.id)
        .limit(most)
        .tuples()
    )  # fmt: skip
    return [OnPage(*row) for row in rows]


def state_of(user: int) -> str:
    """What stands on the pages of this person (by `id`), as a short text that no other list of reminders has. 1 query."""
    mine = (ShownReminder.user == user) & (ShownReminder.since <= now())
    rows: Any = ShownReminder.select(ShownReminder.id, ShownReminder.since).where(mine)
    found = list(rows.order_by(ShownReminder.id).limit(_MOST_STATED).tuples())
    return f"{zlib.crc32(repr(found).encode()):08x}" if found else NOTHING_SHOWN


def put_off(user: User, number: int, until: datetime) -> bool:
    """Remind again at this time (UTC, naive); False if it is no longer there."""
    mine = (ShownReminder.id == number) & (ShownReminder.user == user)
    return bool(ShownReminder.update(since=until).where(mine).execute())


def done(user: User, numbers: Iterable[int]) -> int:
    """Take these off the person's pages; returns how many were there. One by one: no calendar is locked here, as it is where
    events go with what reminds of them."""
    mine = ShownReminder.user == user
    return sum(int(ShownReminder.delete().where(mine, ShownReminder.id == number).execute()) for number in numbers)
