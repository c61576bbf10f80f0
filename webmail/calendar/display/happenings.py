"""Happenings: what takes place in several calendars between two days, for pages. Days are those of the reader's time zone."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache, partial
from typing import Any

import peewee as pw

from webmail.calendar import objects, privacy
from webmail.database.prepared import Prepared, Slot, one_of
from webmail.mime.formats.calendars import calendar_object
from webmail.models import CalendarObject, Occurrence

MOST = 5_000  # rows of a page
PATIENCE = 0.3  # seconds of the processor for what recurs further away than the table of occurrences reaches
_MOST_BEYOND = 300  # objects that are expanded for a page, the cheapest first, if there is time
_MOST_STEPS = 15_000  # that one of them may take: some 0.05 s
_FAR = 14 * 3600  # seconds between a day in UTC and the same one anywhere
_DAY = 86_400
_REVISION = 8  # characters of an etag, a hash: enough to see a change, and pages have hundreds
_LONG = 8 * _DAY  # what takes longer has an index of its own (webmail/migrations/0033_calendar_pages.py)
_COLUMNS = (
    Occurrence.id, Occurrence.collection, Occurrence.start, Occurrence.end, Occurrence.whole_day, Occurrence.recurrence_id,
    Occurrence.summary, Occurrence.location, Occurrence.busy, Occurrence.status, CalendarObject.href, CalendarObject.uid,
    CalendarObject.etag, CalendarObject.public_etag, Occurrence.private,
)  # fmt: skip


@dataclass(slots=True)  # frozen ones take twice as long to make
class Happening:
    """One time that an event takes place. `first` and `last` are days, both included; `begins` and `ends` local times.

    `words` is False where the reader may know of the time alone: then there is no title, place, name or link.
    """

    calendar: int
    href: str
    uid: str
    at: str  # which one of an event that recurs: its RECURRENCE-ID
    start: int  # seconds since 1970
    end: int
    whole_day: bool
    summary: str
    location: str
    busy: int  # 0: free, 1: tentatively, 2: busy
    status: str
    first: date
    last: date
    begins: datetime
    ends: datetime
    words: bool = True
    revision: str = ""  # of the event, which differs after each change of it: how its etag begins

    @property
    def key(self) -> tuple[Hashable, ...]:
        """All that tells it from others, in one time zone."""
        return (
            self.calendar, self.href, self.uid, self.at, self.start, self.end, self.whole_day, self.summary, self.location,
            self.busy, self.status, self.words, self.revision,
        )  # fmt: skip

    @property
    def is_bar(self) -> bool:
        """Whether it belongs above the hours: whole days, or as long as one."""
        return self.whole_day or self.end - self.start >= _DAY

    @property
    def cancelled(self) -> bool:
        return self.status == "CANCELLED"

    @property
    def order(self) -> tuple[Any, ...]:
        """As lists have them: what takes days first, then by time."""
        return (not self.is_bar, self.start, -self.end, self.summary, self.calendar, self.href)


@dataclass(slots=True)
class Found:
    """What was found; `whole` is False if there is more than a page takes, or than could be expanded in time. `slow`: titles of
    series that would take too long to follow so far, "" where the reader may not know them."""

    rows: list[Happening]
    whole: bool = True
    slow: tuple[str, ...] = ()


def between(rights: Mapping[int, str], first: date, last: date, zone: tzinfo, floating: tzinfo, most: int = MOST) -> Found:
    """What takes place on these days, in order, in the calendars of `rights` (by `id`; as `Access.sight` has them).

    `floating`: where times without a zone are meant. 1 query, and 1 for what recurs further away than the table reaches.
    """
    if not rights:
        return Found([])
    start, end = around(first, last, zone)
    rows = _whole_touching(rights, start, end, most + 1)
    more, whole, slow = beyond(rights, start, end, floating)
    found = seen([*rows, *more], rights, first, last, zone)
    found.sort(key=lambda one: one.order)
    return Found(found[:most], whole and len(rows) <= most, slow)


def around(first: date, last: date, zone: tzinfo) -> tuple[int, int]:
    """From and until when something may be on one of these days, whatever zone it is meant in; in seconds since 1970."""
    return midnight(first, zone) - _FAR, midnight(last + timedelta(days=1), zone) + _FAR


def seen(rows: Iterable[tuple[Any, ...]], rights: Mapping[int, str], first: date, last: date, zone: tzinfo) -> list[Happening]:
    """Those of these rows that are on one of these days and that the reader may see."""
    return [one for row in rows if (one := happening(row, rights, zone)) and one.first <= last and one.last >= first]


def next_after(rights: Mapping[int, str], after: date, zone: tzinfo) -> date | None:
    """The day on which the next event that the reader may see begins, if it is in the table. 1 query."""
    if not rights:
        return None
    begins: Any = Occurrence.select(pw.fn.MIN(Occurrence.start), Occurrence.whole_day)
    later = Occurrence.start >= midnight(after, zone) + _DAY
    rows = begins.where(_visible(rights), later).group_by(Occurrence.whole_day).tuples()
    days = [_utc(at).date() if whole else _local(at, zone).date() for at, whole in rows if at is not None]
    return min(days, default=None)


def select_occurrences() -> Any:
    """The query for rows of the table with all that `happening` reads."""
    return Occurrence.select(*_COLUMNS).join(CalendarObject)


Touching = Callable[[Mapping[int, str], int, int, int], list[tuple[Any, ...]]]


def touching(select: Callable[[], Any]) -> Touching:
    """A question for what `select` says of the table, built once: of calendars (their rights by `id`), from when until when, and
    at most how many rows. 1 query."""
    read_all, masking = (Prepared(partial(_touching, select, masked)) for masked in (False, True))

    def ask(rights: Mapping[int, str], start: int, end: int, most: int) -> list[tuple[Any, ...]]:
        read, busy = _parted(rights)
        prepared = masking if busy else read_all
        return prepared.plain(read=read, busy=busy, start=start, long_before=start - _LONG, end=end, most=most)

    return ask


def _touching(select: Callable[[], Any], masked: bool, placeholder: Slot) -> Any:
    """Those that begin not long before, and those that take long, are found by an index each."""
    mine = one_of(Occurrence.collection, "read")
    if masked:
        mine |= one_of(Occurrence.collection, "busy") & (Occurrence.busy > 0)
    near = (
        (Occurrence.start >= placeholder("long_before"))
        & (Occurrence.start < placeholder("end"))
        & (Occurrence.end >= placeholder("start"))
    )
    length = (Occurrence.end - Occurrence.start) > pw.SQL(str(_LONG))  # a literal, as in the index
    # "+ 0": not by the index of what begins when
    long = (Occurrence.start + 0 < placeholder("long_before")) & (Occurrence.end >= placeholder("start"))
    return select().where(mine, near).union_all(select().where(mine, long, length)).limit(placeholder("most"))


_whole_touching = touching(select_occurrences)


def _parted(rights: Mapping[int, str]) -> tuple[list[int], list[int]]:
    """The calendars that somebody reads, and those of which they know the times."""
    return [one for one, right in rights.items() if right != "busy"], [one for one, right in rights.items() if right == "busy"]


def _visible(rights: Mapping[int, str]) -> Any:
    """The condition that a reader may see of a row at least the time."""
    read, busy = _parted(rights)
    return objects.among(Occurrence.collection, read or [0]) | (
        objects.among(Occurrence.collection, busy or [0]) & (Occurrence.busy > 0)
    )


def rows_of(numbers: Sequence[int]) -> list[tuple[Any, ...]]:
    """The rows of the table with these `id`s. 1 query."""
    return _rows_of.plain(numbers=list(numbers)) if numbers else []


_rows_of = Prepared(lambda _slot: select_occurrences().where(one_of(Occurrence.id, "numbers")))


def beyond(
    rights: Mapping[int, str], start: int, end: int, floating: tzinfo
) -> tuple[list[tuple[Any, ...]], bool, tuple[str, ...]]:
    """Rows like those of the table, of what recurs beyond it; whether that is all; and the titles of what would take too long.

    The cheapest come first: a slow one hides no other. 1 query.
    """
    rows: list[tuple[Any, ...]] = []
    slow: list[str] = []
    due, began = objects.beyond(list(rights), start, end, _MOST_BEYOND + 1), time.thread_time()
    costs = [(objects.steps_until(item.text, item.first, end), item.id, item) for item in due[:_MOST_BEYOND]]
    costs.sort(key=lambda one: one[:2])
    for steps, _number, item in costs:
        if steps > _MOST_STEPS or time.thread_time() - began > PATIENCE:
            known = rights[item.collection_id] == "own" or item.public_etag == item.etag
            slow.append(calendar_object.read_once(item.text).summary if known else "")
            continue
        for one in objects.live(item, start, end, floating, latest=end):
            if one.start < item.indexed_until and one.end > item.indexed_from:
                continue  # it is in the table
            rows.append((
                0, item.collection_id, one.start, one.end, one.whole_day, one.recurrence_id, one.summary, one.location,
                one.busy, one.status, item.href, item.uid, item.etag, item.public_etag, int(one.private),
            ))  # fmt: skip
    return rows, len(due) <= _MOST_BEYOND and not slow, tuple(slow)


def happening(row: tuple[Any, ...], rights: Mapping[int, str], zone: tzinfo) -> Happening | None:
    """A row as its reader may see it; None if they may not."""
    _number, calendar, start, end, whole_day, at, summary, location, busy, status, href, uid, etag, public_etag, private = row
    if whole_day:
        begins, ends = _utc(start), _utc(end)
        first, last = begins.date(), _utc(max(end - 1, start)).date()
    else:
        begins, ends = _local(start, zone), _local(end, zone)
        first, last = begins.date(), ends.date()
        if first != last:  # what ends at midnight is not of the day that begins
            last = _local(max(end - 1, start), zone).date()
    right = rights[calendar]
    hidden = right == "busy" or (right != "own" and (public_etag != etag if private is None else private))
    if not hidden:
        return Happening(
            calendar, href, uid, at, start, end, bool(whole_day), summary, location, busy, status, first, last, begins, ends,
            revision=etag[:_REVISION],
        )  # fmt: skip
    if right == "busy":
        if not busy:
            return None
        status = ""
    name = privacy.hidden_name(uid)
    return Happening(calendar, "", name, "", start, end, bool(whole_day), "", "", busy, status, first, last, begins, ends, False)


def utc_day(at: int) -> date:
    """The day of what has no hours, by its row of the table."""
    return _utc(at).date()


def midnight(day: date, zone: tzinfo) -> int:
    """When a day begins, in seconds since 1970."""
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp())


@lru_cache(maxsize=4096)
def _utc(at: int) -> datetime:
    return _clamped(at, UTC)


def _local(at: int, zone: tzinfo) -> datetime:
    return _clamped(at, zone)


def _clamped(at: int, zone: tzinfo) -> datetime:
    """A moment in a zone; one beyond what there are dates for: the nearest that there is."""
    return datetime.fromtimestamp(at if _EARLIEST <= at <= _LATEST else min(max(at, _EARLIEST), _LATEST), zone)


_EARLIEST = int(datetime(2, 1, 1, tzinfo=UTC).timestamp())
_LATEST = int(datetime(9998, 1, 1, tzinfo=UTC).timestamp())


def days(first: date, last: date) -> Iterable[date]:
    """All days between these, both included."""
    return (first + timedelta(days=count) for count in range((last - first).days + 1))
