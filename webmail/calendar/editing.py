"""Calendar editing: finds an event that somebody may see, and changes what is in calendars from pages, with undo."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo

import peewee as pw

from webmail.calendar import objects, privacy
from webmail.calendar.rooms import bookings
from webmail.calendar.rooms.bookings import Booker
from webmail.calendar.todos import todo_rows
from webmail.collections import quota, trash
from webmail.collections import store as collections
from webmail.collections.store import Access
from webmail.config.settings import Settings
from webmail.database import undo_store
from webmail.database.again import begun_again
from webmail.database.connection import db
from webmail.errors import LimitReachedError
from webmail.mime.formats.calendars.calendar_object import UnusableCalendarError
from webmail.models import CalendarObject, Collection, Occurrence, TrashedItem, User

LARGEST = 1_000_000  # bytes of an event with its exceptions
_LARGEST_UNDO = 2_000_000  # characters
_OPENING = '{"events"'


class NoSuchEventError(LookupError):
    """The event no longer exists, or is in no calendar of this person."""


class EventChangedElsewhereError(ValueError):
    """The event was changed by another page or device since it was shown, or is gone."""


class NotWritableError(ValueError):
    """The person may not change what is in this calendar."""


@dataclass(frozen=True, slots=True)
class Write:
    """What is to stand under a name in a calendar (by `id`); "" for nothing. `etag`: what stands there now, "" for nothing.

    `taken`: what is taken out of a series that stays, as an object of its own for the trash: its UID, title and text.
    """

    calendar: int
    href: str
    text: str
    etag: str = ""
    taken: tuple[str, str, str] | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """What was done: the name, what stood there before ("" for nothing), and what stands there now ("" for nothing). `trashed`:
    the item of the trash (by `id`) that has what was taken out of a series; 0 for none. `hidden`: who did it sees no more of it
    than when it is."""

    calendar: int
    href: str
    before: str
    etag: str
    trashed: int = 0
    hidden: bool = False


def calendars(user: User) -> list[Access]:
    """The calendars that a person has, their own first. 1 query."""
    return [one for one in collections.accessible(user) if one.collection.kind == collections.CALENDAR]


def with_first(user: User, make: Callable[[User, str], object] = collections.default_collection) -> list[Access]:
    """As `calendars`; the first of their own is made where they have none. 1 query, 6 the first time."""
    found = calendars(user)
    if not any(one.rights == "own" and takes_events(one) for one in found):
        make(user, collections.CALENDAR)
        found = calendars(user)
    return found


def writable(user: User) -> list[Access]:
    """Those in which they may change events; there is always one of their own. 2 queries, more the first time."""
    own = collections.default_collection(user, collections.CALENDAR)
    found = [one for one in calendars(user) if one.writes and takes_events(one)]
    return sorted(found, key=lambda one: one.collection.id != own.id)


def takes_events(access: Access) -> bool:
    """Whether events can be in a calendar, which may be for tasks alone."""
    return takes(access, "VEVENT")


def takes(access: Access, component: str) -> bool:
    """Whether such objects can be in a calendar, which has what it is for among its components; events if it says nothing."""
    return component in (access.collection.components or "VEVENT")


def load(user: User, calendar: int, href: str, component: str = "VEVENT") -> tuple[Access, CalendarObject]:
    """An event, or another `component`, by its calendar's `id` and its name there, as they see it. 2 queries.

    Raises NoSuchEventError.
    """
    access = next((one for one in calendars(user) if one.collection.id == calendar), None)
    row = _row(calendar, href) if access else None
    if access is None or row is None or row.component != component:
        raise NoSuchEventError(f"no event {href[:60]!r} in calendar {calendar}")
    return privacy.as_seen(access, row, user)


def _row(calendar: int, href: str) -> CalendarObject | None:
    found: CalendarObject | None = CalendarObject.get_or_none(CalendarObject.collection == calendar, CalendarObject.href == href)
    return found


@begun_again
def write(
    user: User, writes: Sequence[Write], settings: Settings, *, as_kept: bool = False, is_stored: bool = False,
    rooms_optional: bool = False, component: str = "VEVENT",
) -> list[Done]:  # fmt: skip
    """Change what is in calendars, all of it or nothing; returns what undoes it. `as_kept`: rules that are never expanded may
    stay as they are. What is taken out of somebody else's calendars goes into their trash; out of one's own only if `is_stored`.

    `rooms_optional`: written without the rooms that somebody else has; `component`: what is written, if no events.

    1 transaction. Raises UnusableCalendarError, EventChangedElsewhereError, NotWritableError, LimitReachedError, UidTakenError,
    RoomRefusedError.
    """
    zone = objects.zone_of(settings.timezone)
    found = [_prepared(one.text, zone, as_kept) if one.text else None for one in writes]
    with db.atomic():
        collections.lock(sorted({one.calendar for one in writes}))
        accesses = {one.collection.id: one for one in calendars(user) if one.writes and takes(one, component)}
        may = {number: one.collection for number, one in accesses.items()}
        if not all(one.calendar in may for one in writes):
            raise NotWritableError("no right to write")
        rows = [_row(one.calendar, one.href) for one in writes]
        if any(row is not None and privacy.is_hidden(accesses[one.calendar], row) for row, one in zip(rows, writes, strict=True)):
            raise NotWritableError("a private event, of which they see only when it is")
        if any((row.etag if row else "") != one.etag for row, one in zip(rows, writes, strict=True)):
            raise EventChangedElsewhereError("another version is there")
        keepers = {may[one.calendar].user_id for one in writes if one.text}  # it stays theirs
        if keepers or not is_stored:
            keepers.add(user.id)
        for row, one in zip(rows, writes, strict=True):
            if row is not None and not one.text and may[one.calendar].user_id not in keepers:
                trash.put(may[one.calendar], [(row.href, row.uid, _title(row), row.text)], user.address)
        trashed = [_trash_taken(may[one.calendar], one, user) if is_stored else 0 for one in writes]
        bookings.lock([one.text for one in writes], rows)
        booker = Booker(user, zone, rooms_optional)
        done: dict[int, Done] = {}
        for at in sorted(range(len(writes)), key=lambda at: bool(writes[at].text)):  # first what makes room, and frees a UID
            hidden = privacy.will_be_hidden(accesses[writes[at].calendar], writes[at].text)
            done[at] = replace(_write_one(writes[at], rows[at], found[at], settings, booker), trashed=trashed[at], hidden=hidden)
    return [done[at] for at in range(len(writes))]


def _trash_taken(calendar: Collection, item: Write, user: User) -> int:
    """Put what is taken out of a series into the trash of the calendar's owner; returns its `id` there. 3 queries and those of
    `trash.put`, where there is any."""
    if item.taken is None:
        return 0
    trash.put(calendar, [(item.href, *item.taken)], user.address)
    mine = (TrashedItem.collection == calendar) & (TrashedItem.uid == item.taken[0])
    return int(TrashedItem.select(pw.fn.MAX(TrashedItem.id)).where(mine).scalar() or 0)


def _title(row: CalendarObject) -> str:
    one = Occurrence.select(Occurrence.summary).where(Occurrence.object == row.id).first()
    return str(one.summary) if one is not None else todo_rows.title_of(row.id) if row.component == "VTODO" else ""


def _prepared(text: str, zone: tzinfo, as_kept: bool) -> objects.PreparedObject:
    if len(text.encode()) > LARGEST:
        raise LimitReachedError("too large an event")
    try:
        return objects.prepared(text, zone)
    except UnusableCalendarError:
        if not as_kept:
            raise
        return objects.prepared(text, zone, once=True)


def _write_one(
    item: Write, row: CalendarObject | None, found: objects.PreparedObject | None, settings: Settings, booker: Booker
) -> Done:
    before = row.text if row else ""
    if found is None:
        if row is not None:
            objects.take_out(item.calendar, [row])
        return Done(item.calendar, item.href, before, "")
    quota.check_room(item.calendar, 0 if row else 1, len(item.text.encode()) - (row.size if row else 0), settings)
    return Done(item.calendar, item.href, before, objects.write(item.calendar, item.href, item.text, found, row, booker).etag)


# --- undo ------------------------------------------------------------------------------------------------------------


def offer_undo(user: User, done: Iterable[Done]) -> str:
    """Keep what was there before for an hour; returns the name to undo by, "" if it is too large. 1 transaction."""
    kept = json.dumps(
        {"events": [[one.calendar, one.href, one.before, one.etag, one.trashed] for one in done]}, ensure_ascii=False
    )
    return "" if len(kept) > _LARGEST_UNDO else undo_store.keep(user, kept)


@begun_again
def undo(
    user: User, name: str, settings: Settings, *, rewritten: Callable[[Sequence[Done]], list[Write]] | None = None,
    component: str = "VEVENT",
) -> bool:  # fmt: skip
    """Put back what `offer_undo` kept, all or nothing, under its names; False if it is over, not theirs, or was done already.

    `rewritten`: says in the transaction what is to be written for these steps.

    Raises EventChangedElsewhereError if it was changed again since, NotWritableError, LimitReachedError, UidTakenError.
    """
    row = undo_store.load(user, name, _OPENING)
    if row is None:
        return False
    steps = [Done(*step) for step in json.loads(row.steps)["events"]]
    with db.atomic():
        if undo_store.take(user, name, _OPENING) is None:
            return False
        back = [Write(one.calendar, one.href, one.before, one.etag) for one in steps]
        write(user, rewritten(steps) if rewritten else back, settings, as_kept=True, rooms_optional=True, component=component)
        _out_of_trash(user, [one for one in steps if one.before and not one.etag])
        for one in steps:
            if one.trashed:
                trash.take(one.trashed, user.address)
    return True


def _out_of_trash(user: User, steps: Iterable[Done]) -> None:
    """Forget what this person had deleted, and has just put back."""
    for one in steps:
        trash.take_latest(one.calendar, user.address, TrashedItem.href == one.href, TrashedItem.device == "")
