"""Calendar objects in their tables: stored as sent, with a row for each time they take place, for pages and telephones alike.

What recurs without an end is expanded for some years; `extend_index` goes on with it as time goes by.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, tzinfo
from functools import partial
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import peewee as pw

from webmail.calendar import privacy
from webmail.calendar.reminders import reminder_rows
from webmail.calendar.rooms import bookings
from webmail.calendar.rooms.bookings import Booker
from webmail.calendar.search_words import words_of
from webmail.calendar.todos import todo_rows
from webmail.collections import look
from webmail.collections import store as collections
from webmail.database import prepared as queries
from webmail.database.again import begun_again
from webmail.database.connection import db
from webmail.mime.formats.calendars import calendar_object
from webmail.mime.formats.calendars.calendar_object import ReadObject, UnusableCalendarError
from webmail.mime.formats.recurrence import occurrences, recurrence_rules
from webmail.mime.formats.recurrence.occurrences import Expansion, Taking
from webmail.mime.formats.zones.asked_times import AskedTime, Kind, kind_of
from webmail.models import FOR_EVER, CalendarObject, CalendarSubscription, Collection, Occurrence, now

_YEAR = 365 * 86_400
_BEHIND, _AHEAD = 5 * _YEAR, 3 * _YEAR  # what is expanded of what recurs, from today
_RENEWED = 2 * _YEAR  # when less is expanded than this ahead, it goes on
_LATEST = 10 * _YEAR  # from today: nothing is expanded beyond
_FAR_AWAY = 2**36  # seconds since 1970: thousands of years
_RULE = re.compile(r"^RRULE:(.*)$", re.MULTILINE | re.IGNORECASE)
ONCE = 2  # `recurring` of an object with rules that are never expanded
MOST_LIVE = 500  # objects that are expanded for a question beyond what is in the table
LONGEST_LIVE = 3.0  # seconds of the processor for that: one may take half a second
_MOST_BUSY = 20_000  # times of one answer
_CHUNK = 500


class PreparedObject(NamedTuple):
    """What `write` needs of a text. `todo`: the columns of what is to be done (`todo_rows.values_of`)."""

    read: ReadObject
    expansion: Expansion
    start: int
    end: int
    todo: dict[str, Any] | None = None


class TooMuchAskedError(Exception):
    """A question about a time for which too many objects would have to be expanded."""


class UidTakenError(ValueError):
    """Another object of the calendar has this UID."""


def zone_of(name: str) -> tzinfo:
    """The zone of times without one: the installation's."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def prepared(text: str, zone: tzinfo, *, once: bool = False) -> PreparedObject:
    """What `write` needs of a text, found outside the transaction, and from when until when it is expanded.

    `once`: as if it took place once, where its rules are refused. Raises UnusableCalendarError.
    """
    read = calendar_object.read_once(text) if once else calendar_object.read(text)
    start, end = indexed(int(time.time()))
    if read.component == "VEVENT":
        return PreparedObject(read, occurrences.expand(read, start, end, zone), start, end)
    todo = todo_rows.values_of(text, zone) if read.component == "VTODO" else None
    return PreparedObject(read, Expansion(-FOR_EVER, FOR_EVER, ()), start, end, todo)


def indexed(at: int) -> tuple[int, int]:
    """From when until when what recurs is expanded into the table at this moment."""
    return at - _BEHIND, at + _AHEAD


def schedule_tag(row: CalendarObject) -> str:
    """What is another one after each change but answers of guests (RFC 6638, 3.2.10)."""
    return tag_of(row.etag, row.schedule_tag)


def tag_of(etag: str, stored: str | None) -> str:
    """The same of a row's columns: what an older version of Traboule wrote has another etag."""
    known, _space, tag = (stored or "").partition(" ")
    return tag if known == etag else etag


def write(
    calendar: int, href: str, text: str, found: PreparedObject, row: CalendarObject | None, booker: Booker | None = None,
    *, answered: bool = False,
) -> CalendarObject:  # fmt: skip
    """Store an object under this name, in place of `row`. In a transaction that has locked the calendar. The rooms that it asks
    for are booked, and answer in its text. `answered`: a guest's answer alone has changed. Raises UidTakenError,
    RoomRefusedError.
    """
    read, expansion, start, end, todo = found
    rooms = bookings.plan(calendar, text, expansion.takings, read.recurring and not read.once, row, booker)
    text = rooms.text
    content = text.encode()
    size, etag = len(content), hashlib.sha256(content).hexdigest()
    seq = collections.changed(calendar, count=0 if row else 1, size=size - (row.size if row else 0))
    whole = not read.recurring or read.component != "VEVENT"
    values: dict[str, Any] = {
        "uid": read.uid, "component": read.component, "etag": etag, "size": size,
        "first": expansion.first, "last": expansion.last, "busy": int(expansion.busy),
        "recurring": ONCE if read.once else int(read.recurring),
        "indexed_from": -FOR_EVER if whole else start, "indexed_until": FOR_EVER if whole else end, "seq": seq, "text": text,
        "words": words_of(text), "modified": now(), "public_etag": privacy.etag_unless_private(text, etag),
        "schedule_tag": f"{etag} {schedule_tag(row)}" if answered and row is not None else None,
    }  # fmt: skip
    try:
        with db.atomic():
            if row is None:
                number = CalendarObject.insert(collection=calendar, href=href, **values).execute()
            else:
                number = row.id
                CalendarObject.update(**values).where(CalendarObject.id == number).execute()
                Occurrence.delete().where(Occurrence.object == number).execute()
    except pw.IntegrityError as error:
        raise UidTakenError(str(error)) from error
    add_takings(calendar, [(number, one) for one in expansion.takings])
    bookings.apply(rooms, number)
    if read.component == "VEVENT":
        reminder_rows.follow(calendar, number, text, expansion.last, new=row is None)
    if todo is not None or (row is not None and row.component == "VTODO"):
        todo_rows.follow(calendar, number, todo, new=row is None)
        reminder_rows.follow(calendar, number, text, todo_rows.last_of(todo), new=row is None)
    collections.there(calendar, [href])
    return CalendarObject.get_by_id(number)


def answer(row: CalendarObject, text: str) -> None:
    """Store the text of an object in which a room's answer alone was changed. In a transaction that has locked the calendar."""
    content = text.encode()
    etag = hashlib.sha256(content).hexdigest()
    seq = collections.changed(row.collection_id, size=len(content) - row.size)
    values = {"text": text, "size": len(content), "etag": etag, "seq": seq, "modified": now()}
    values["schedule_tag"] = f"{etag} {schedule_tag(row)}"
    seen = privacy.etag_unless_private(text, etag)
    CalendarObject.update(**values, public_etag=seen).where(CalendarObject.id == row.id).execute()
    collections.there(row.collection_id, [row.href])


def add_takings(calendar: int, takings: Sequence[tuple[int, Taking]]) -> None:
    """Note when objects (by `id`) of a calendar take place."""
    rows = [
        {
            "object": number, "collection": calendar, "start": one.start, "end": one.end, "whole_day": int(one.whole_day),
            "recurrence_id": one.recurrence_id[:40], "summary": one.summary, "location": one.location, "busy": one.busy,
            "status": one.status, "private": int(one.private),
        }
        for number, one in takings
    ]  # fmt: skip
    for at in range(0, len(rows), 50):
        Occurrence.insert_many(rows[at : at + 50]).execute()


def take_out(calendar: int, rows: Sequence[CalendarObject]) -> None:
    """Delete these objects of a calendar, in a transaction that has locked it."""
    seq = collections.changed(calendar, count=-len(rows), size=-sum(row.size for row in rows))
    collections.gone(calendar, [row.href for row in rows], seq)
    ids = [row.id for row in rows]
    for at in range(0, len(ids), _CHUNK):
        CalendarObject.delete().where(CalendarObject.id.in_(ids[at : at + _CHUNK])).execute()


def move(row: CalendarObject, calendar: Collection, href: str) -> None:
    """Put an object into another calendar, or under another name. In a transaction that has locked both. Raises UidTakenError."""
    before = collections.changed(row.collection_id, count=-1, size=-row.size)
    collections.gone(row.collection_id, [row.href], before)
    seq = collections.changed(calendar.id, count=1, size=row.size)
    try:
        with db.atomic():
            update = CalendarObject.update(collection=calendar.id, href=href, seq=seq, modified=now())
            update.where(CalendarObject.id == row.id).execute()
    except pw.IntegrityError as error:
        raise UidTakenError(str(error)) from error
    Occurrence.update(collection=calendar.id).where(Occurrence.object == row.id).execute()
    reminder_rows.moved(row.id, calendar.id)
    todo_rows.moved(row.id, calendar.id)
    collections.there(calendar.id, [href])


# --- what takes place when -------------------------------------------------------------------------------------------


def events_in(
    calendar: int, start: int, end: int, zone: tzinfo, seconds: float | None = None, *, meant: tzinfo | None = None
) -> set[int]:
    """The `id`s of the events that touch the time from `start` to `end` (seconds since 1970).

    `meant`: the zone of days and of times without one, if the question has another than the installation's; `seconds`: of the
    processor, for what is not in the table. 3 queries; 5 with another zone. Raises TooMuchAskedError.
    """
    asked = AskedTime(start, end, meant or zone, zone)
    found, fixed = _touching(calendar, asked.days, whole_day=1), _touching(calendar, (start, end), whole_day=0)
    if asked.floating != (start, end):
        floating = _touching(calendar, asked.floating, whole_day=0)
        kinds = _kinds(fixed ^ floating)
        fixed = fixed & floating | {number for number, kind in kinds.items() if (kind == "floating") is (number in floating)}
    found |= fixed
    rows_beyond = _beyond(calendar, *asked.wide)
    if start > int(time.time()) + _LATEST:  # nobody expands that: what has no end may well take place then
        return found | {row.id for row in rows_beyond if row.last >= FOR_EVER}
    more = _lively((one for one in rows_beyond if one.id not in found), *asked.wide, asked.zone, seconds)
    return found | {row.id for row, takings in more if any(_is_at(asked, one) for one in takings)}


def _touching(calendar: int, span: tuple[int, int], whole_day: int) -> set[int]:
    """Events of which the table says that they touch this time, by `id`. 1 query."""
    start, end = span
    touching = (Occurrence.start < end) & ((Occurrence.end > start) | (Occurrence.start >= start))
    rows: Any = Occurrence.select(Occurrence.object).where(Occurrence.collection == calendar, touching)
    return {number for (number,) in rows.where(Occurrence.whole_day == whole_day).distinct().tuples()}


def _kinds(numbers: Iterable[int], step: Callable[[], None] = lambda: None) -> dict[int, Kind]:
    """Whether these objects have times without a zone."""
    found: dict[int, Kind] = {}
    wanted = list(numbers)
    for at in range(0, len(wanted), _CHUNK):
        rows: Any = CalendarObject.select(CalendarObject.id, CalendarObject.text)
        for number, text in rows.where(CalendarObject.id.in_(wanted[at : at + _CHUNK])).tuples().iterator():
            step()
            found[number] = kind_of(text)
    return found


def _is_at(asked_time: AskedTime, taking: Taking) -> bool:
    """Whether something touches the time that was expanded in the zone that is meant."""
    return asked_time.touched_by("day" if taking.whole_day else "fixed", taking.start, taking.end)


def _beyond(calendar: int, start: int, end: int) -> list[CalendarObject]:
    """Objects that recur within this time, of which the table does not have all of it. Raises TooMuchAskedError."""
    rows = beyond([calendar], start, end, MOST_LIVE + 1)
    if len(rows) > MOST_LIVE:
        raise TooMuchAskedError(f"more than {MOST_LIVE} recurring events")
    return rows


def _lively(
    rows: Iterable[CalendarObject], start: int, end: int, zone: tzinfo, seconds: float | None = None
) -> Iterator[tuple[CalendarObject, tuple[Taking, ...]]]:
    """These objects, each with what `live` finds. Raises TooMuchAskedError."""
    began = time.thread_time()
    for row in rows:
        if time.thread_time() - began > (LONGEST_LIVE if seconds is None else seconds):
            raise TooMuchAskedError("recurring events that take too long to expand")
        yield row, live(row, start, end, zone)


def among(column: Any, numbers: Iterable[int]) -> Any:
    """Whether a column is one of these numbers. They are written out: a placeholder for each would take longer than the query."""
    return pw.Expression(column, "IN", pw.SQL(f"({', '.join(str(int(number)) for number in numbers)})"))


def beyond(calendars: Sequence[int], start: int, end: int, most: int) -> list[CalendarObject]:
    """The first `most` objects of these calendars that recur within this time, of which the table does not have all. 1 query."""
    past = start < int(time.time()) - _BEHIND  # nothing begins to be expanded later than so long ago
    question = _before_and_after if past else _after
    return question(calendars=list(calendars), start=start, end=end, most=most)


def _recurring(past: bool, placeholder: queries.Slot) -> Any:
    recur = (CalendarObject.recurring == pw.SQL("1")) & (CalendarObject.component == "VEVENT")
    possible = (CalendarObject.first < placeholder("end")) & (CalendarObject.last >= placeholder("start"))
    missing = (CalendarObject.indexed_until < placeholder("end")) & (CalendarObject.last > CalendarObject.indexed_until)
    if past:
        missing |= (CalendarObject.indexed_from > placeholder("start")) & (CalendarObject.first < CalendarObject.indexed_from)
    mine = queries.one_of(CalendarObject.collection, "calendars")
    return CalendarObject.select().where(mine, recur, possible, missing).limit(placeholder("most"))


_after, _before_and_after = (queries.Prepared(partial(_recurring, past)) for past in (False, True))


def steps_until(text: str, first: int, end: int) -> float:
    """How many steps expanding an object until then takes, about. `first`: when it takes place first."""
    at = datetime.fromtimestamp(min(end, _FAR_AWAY), UTC).replace(tzinfo=None)
    rules = _RULE.findall(re.sub("\r?\n[ \t]", "", text))
    begins = datetime.fromtimestamp(max(first, 0), UTC)
    return sum(recurrence_rules.steps_until(rule.strip(), f"{begins:%Y%m%d}", at) for rule in rules[:20])


def live(row: CalendarObject, start: int, end: int, zone: tzinfo, *, latest: int | None = None) -> tuple[Taking, ...]:
    """The occurrences of one object that touch this time, expanded now: some ms. None where it can't be, or beyond `latest` (ten
    years from today)."""
    latest = int(time.time()) + _LATEST if latest is None else latest
    if start > latest:
        return ()
    try:
        takings = occurrences.expand(calendar_object.read(row.text), start, min(end, latest), zone).takings
    except UnusableCalendarError:
        return ()
    return tuple(one for one in takings if one.start < end and (one.end > start or one.start >= start))


def busy_times(
    calendar: int, start: int, end: int, zone: tzinfo, *, meant: tzinfo | None = None, step: Callable[[], None] = lambda: None
) -> list[tuple[int, int, int]]:
    """(start, end, how busy) of what takes time from `start` to `end`; nothing of a calendar that takes none of its person's.

    `meant`: as for `events_in`; `step`: called for each that is looked at. 3 queries, and one for each 500 objects with another
    zone. Raises TooMuchAskedError, and what `step` does.
    """
    if not _takes_time(calendar):
        return []
    asked = AskedTime(start, end, meant or zone, zone)
    first, last = asked.wide
    known = _busy_in.plain(calendar=calendar, start=first, end=last)
    if len(known) > _MOST_BUSY:
        raise TooMuchAskedError(f"more than {_MOST_BUSY} occurrences")
    timed = {number for number, *_rest, whole_day in known if not whole_day}
    kinds = _kinds(timed, step) if asked.zone != zone else {}
    found: set[tuple[int, int, int]] = set()
    for number, begins, ends, busy, whole_day in known:
        step()
        kind = "day" if whole_day else kinds.get(number, "fixed")
        found.add((asked.moment(kind, begins), asked.moment(kind, ends), busy))
    for _row, takings in _lively(_beyond(calendar, first, last), first, last, asked.zone):
        for one in takings:
            step()
            kind = "day" if one.whole_day else "fixed"
            found |= {(asked.moment(kind, one.start), asked.moment(kind, one.end), one.busy)} if one.busy else set()
    return sorted(one for one in found if one[0] < end and one[1] > start)


def _busy_rows(placeholder: queries.Slot) -> Any:
    touching = (Occurrence.start < placeholder("end")) & (Occurrence.end > placeholder("start")) & (Occurrence.busy > 0)
    rows = Occurrence.select(Occurrence.object, Occurrence.start, Occurrence.end, Occurrence.busy, Occurrence.whole_day)
    return rows.where(Occurrence.collection == placeholder("calendar"), touching).limit(_MOST_BUSY + 1)


_busy_in = queries.Prepared(_busy_rows)


def _takes_time(calendar: int) -> bool:
    rows = _time_taken.plain(calendar=calendar)
    return all(look.takes_time(json.loads(props)) and busy != 0 for props, busy in rows)


_time_taken = queries.Prepared(
    lambda slot: (
        Collection.select(Collection.props, CalendarSubscription.busy)
        .join(CalendarSubscription, pw.JOIN.LEFT_OUTER)
        .where(Collection.id == slot("calendar"))
    )
)


def extend_index(zone: tzinfo, most: int = 200) -> int:
    """Expand further what recurs for long; returns for how many objects. In short transactions."""
    at = int(time.time())
    due: Iterable[Any] = (
        CalendarObject.select(CalendarObject.id, CalendarObject.collection)
        .where(
            CalendarObject.recurring == 1,
            CalendarObject.indexed_until < at + _RENEWED,
            CalendarObject.indexed_until < CalendarObject.last,
        )
        .limit(most)
        .tuples()
    )
    return sum(_renew(number, calendar, zone) for number, calendar in list(due))


@begun_again
def _renew(number: int, calendar: int, zone: tzinfo) -> bool:
    """Whether this object of a calendar was expanded further: not if somebody changes, moves or deletes it meanwhile."""
    row = CalendarObject.get_or_none(CalendarObject.id == number, CalendarObject.collection == calendar)
    if row is None:
        return False
    values: dict[str, Any] = {}
    takings: Sequence[Taking] = ()
    try:
        _read, expansion, start, end, _todo = prepared(row.text, zone)  # before the lock: it may take a while
    except UnusableCalendarError:  # by a rule that was made stricter: what is in the table stays
        values = {"indexed_until": int(time.time()) + 100 * _YEAR}
    else:
        values, takings = {"indexed_from": start, "indexed_until": end}, expansion.takings
    with db.atomic():
        collections.lock([calendar])
        same = (CalendarObject.id == number) & (CalendarObject.collection == calendar) & (CalendarObject.seq == row.seq)
        if not CalendarObject.update(**values).where(same).execute():
            return False
        if takings or "indexed_from" in values:
            Occurrence.delete().where(Occurrence.object == number).execute()
            add_takings(calendar, [(number, one) for one in takings])
            collections.touched(calendar)
    return True
