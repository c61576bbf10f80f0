"""Subscribed rounds: fetches the calendars whose turn it is, and writes what has changed in them, piece by piece."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta, tzinfo
from typing import Any

from webmail.calendar import objects
from webmail.calendar.subscriptions import subscriptions
from webmail.calendar.subscriptions.fetch import Ask, FetchedCalendar, asking, fetch
from webmail.calendar.subscriptions.matching import Standing, replace_uid, without_stamps
from webmail.collections import quota
from webmail.collections import store as collections
from webmail.collections.following.faults import FollowFault, FollowTroubleError
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.database.pieces import in_pieces
from webmail.errors import LimitReachedError
from webmail.mime.formats.calendars import calendar_files
from webmail.mime.formats.calendars.calendar_files import CalendarFile, FileObject, FileRemarkKind, NotCalendarFileError
from webmail.mime.formats.calendars.calendar_object import UnusableCalendarError
from webmail.models import CalendarObject, CalendarSubscription

log = logging.getLogger(__name__)

EVERY = timedelta(seconds=10)  # whether one is due is looked for
MOST_EVENTS = 10_000
SMALL = 300  # so many are written while the person waits, if few of them recur
_WRITING = 120.0  # seconds in one round
_FIRST_PIECE = 10
_LARGEST = 1_000_000  # bytes of one event
_MOST_NOTES = 20


class SubscriptionEndedError(Exception):
    """Its person has unsubscribed meanwhile."""


@dataclass(slots=True)
class _Changes:
    """What is to be written: the new text of each event, and the row that it replaces."""

    writes: list[tuple[FileObject, CalendarObject | None]] = field(default_factory=list)
    gone: list[CalendarObject] = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)
    left: int = 0

    @property
    def leaving(self) -> tuple[int, int]:
        """How many are going to be removed, and their bytes."""
        return len(self.gone), sum(row.size for row in self.gone)

    def note(self, kind: FileRemarkKind, title: str) -> None:
        self.left += 1
        if len(self.notes) < _MOST_NOTES:
            self.notes.append((str(kind), title[:120]))


def sweep(settings: Settings) -> int:
    """Fetch what is due; returns how many. Raises nothing for what other servers do."""
    if not settings.calendar_subscriptions:
        return 0
    with db.connection_context():
        due = subscriptions.turns.due(subscriptions.turns.at_once * 8)
    return subscriptions.turns.sweep(
        due, lambda one: follow(one, settings, lambda: fetch_if_changed(one, settings, asking(settings)))
    )


def fetch_if_changed(subscription: CalendarSubscription, settings: Settings, ask: Ask) -> FetchedCalendar:
    """Its calendar, if it has changed. Raises FollowTroubleError."""
    return fetch(subscriptions.address_of(subscription, settings), ask, subscription.etag, subscription.modified)


def follow(subscription: CalendarSubscription, settings: Settings, get: Callable[[], FetchedCalendar]) -> bool:
    """One round with what `get` fetches, unless somebody else is at it."""
    return subscriptions.turns.alone(subscription, lambda: _round(subscription, settings, get))


def _round(subscription: CalendarSubscription, settings: Settings, get: Callable[[], FetchedCalendar]) -> None:
    """Raises FollowTroubleError."""
    fetched = get()
    if fetched.content is None:
        subscriptions.turns.went_well(subscription)
        return
    digest = hashlib.sha256(fetched.content).hexdigest()
    known: dict[str, Any] = {"etag": fetched.etag, "modified": fetched.modified, "digest": digest}
    if digest == subscription.digest:
        subscriptions.turns.went_well(subscription, known)
        return
    found = understood(fetched.content, fetched.charset)
    changes = _Changes()
    try:
        whole = _write(subscription, found, changes, settings)
    except LimitReachedError as error:
        raise FollowTroubleError(FollowFault.FULL, str(error)) from error
    except SubscriptionEndedError:
        log.info("subscription %d has ended", subscription.id)
        return
    if not whole:
        subscriptions.turns.go_on(subscription)
        return
    known |= {"left": changes.left, "notes": json.dumps(changes.notes, ensure_ascii=False)}
    subscriptions.turns.went_well(subscription, known, found.refresh)


def understood(content: bytes, charset: str) -> CalendarFile:
    """What is in an answer. Raises FollowTroubleError."""
    try:
        found = calendar_files.read(content, charset)
    except NotCalendarFileError as error:
        raise FollowTroubleError(FollowFault.NOT_CALENDAR) from error
    kinds = {remark.kind for remark in found.remarks}
    if FileRemarkKind.ANSWER in kinds and not found.objects:  # no calendar that has become empty
        raise FollowTroubleError(FollowFault.NOT_CALENDAR)
    if FileRemarkKind.ENDLESS in kinds or b"END:VCALENDAR" not in content[-2_000:].upper().replace(b"\0", b""):
        raise FollowTroubleError(FollowFault.CUT)
    if FileRemarkKind.TOO_MANY in kinds or len(found.objects) > MOST_EVENTS:
        raise FollowTroubleError(FollowFault.TOO_MANY)
    return found


def _write(subscription: CalendarSubscription, found: CalendarFile, changes: _Changes, settings: Settings) -> bool:
    """Bring the calendar in step, in short transactions; False if there was no time for all.

    What is gone is removed last, so that at no moment there is less than before and after.
    """
    until = time.monotonic() + _WRITING
    _compare(subscription, found, changes)
    zone, leaving, full = objects.zone_of(settings.timezone), changes.leaving, None
    for piece in in_pieces(changes.writes, _FIRST_PIECE):
        if time.monotonic() > until:
            return False
        prepared = [(item, row, _prepared(item, zone, changes)) for item, row in piece]
        with _writing(subscription):
            full = _put_all(subscription, prepared, settings, leaving)
        if full is not None:
            break
    for rows in in_pieces(changes.gone):
        with _writing(subscription):
            objects.take_out(subscription.collection_id, rows)
    if full is not None:
        raise full
    return True


def _put_all(
    subscription: CalendarSubscription,
    prepared: Iterable[tuple[FileObject, CalendarObject | None, objects.PreparedObject | None]],
    settings: Settings, leaving: tuple[int, int],
) -> LimitReachedError | None:  # fmt: skip
    """Write as many as there is room for."""
    try:
        for item, row, ready in prepared:
            _put(subscription, item, row, ready, settings, leaving)
    except LimitReachedError as error:
        return error
    return None


def _compare(subscription: CalendarSubscription, found: CalendarFile, changes: _Changes) -> None:
    """What differs from what is there: by UID, or, where the file gives others each time, by what events say."""
    fields = (
        CalendarObject.id, CalendarObject.uid, CalendarObject.href, CalendarObject.etag, CalendarObject.size,
        CalendarObject.recurring, CalendarObject.component,
    )  # fmt: skip
    there = {
        row.uid: row for row in CalendarObject.select(*fields).where(CalendarObject.collection == subscription.collection_id)
    }
    known = {item.uid: item for item in found.objects if item.uid in there}
    other = [item for item in known.values() if there[item.uid].etag != _etag(item.text)]
    same = {uid: uid for uid in known} | dict.fromkeys((item.uid for item in other), "")
    for uid, text in _texts([there[item.uid].id for item in other]):
        if without_stamps(text) == without_stamps(known[uid].text):
            same[uid] = uid
    changes.writes = [(item, there[item.uid]) for item in other if not same[item.uid]]
    gone = {uid: row for uid, row in there.items() if uid not in known}
    new = [item for item in found.objects if item.uid not in there]
    if gone and new:
        new, renewed = _renewed(gone, new, changes)
        same |= renewed
    changes.writes += [(item, None) for item in new]
    changes.gone = list(gone.values())
    for item in found.objects:
        if (stands := same.get(item.uid)) and there[stands].recurring == objects.ONCE:
            changes.note(FileRemarkKind.ONCE, item.title)


def _renewed(
    gone: dict[str, CalendarObject], new: list[FileObject], changes: _Changes
) -> tuple[list[FileObject], dict[str, str]]:
    """Take from what seems gone what the file has under other UIDs. Returns what is really new, and what is there as it is."""
    same, newer = Standing(_texts([row.id for row in gone.values()])).matched(new)
    for item in new:
        if known := newer.get(item.uid):
            changes.writes.append((dataclasses.replace(item, uid=known, text=replace_uid(item.text, known)), gone[known]))
    for uid in (*same.values(), *newer.values()):
        del gone[uid]
    return [item for item in new if item.uid not in same and item.uid not in newer], same


def _texts(numbers: Sequence[int]) -> Iterator[tuple[str, str]]:
    for at in range(0, len(numbers), 200):
        some: Any = CalendarObject.select(CalendarObject.uid, CalendarObject.text).where(
            CalendarObject.id.in_(numbers[at : at + 200])
        )
        yield from some.tuples()


def _etag(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _prepared(item: FileObject, zone: tzinfo, changes: _Changes) -> objects.PreparedObject | None:
    """None for what can't be shown, which is noted."""
    if len(item.text.encode()) > _LARGEST:
        changes.note(FileRemarkKind.LARGE, item.title)
        return None
    try:
        return objects.prepared(item.text, zone)
    except UnusableCalendarError:
        pass
    try:
        ready = objects.prepared(item.text, zone, once=True)
    except UnusableCalendarError:
        changes.note(FileRemarkKind.UNREADABLE, item.title)
        return None
    changes.note(FileRemarkKind.ONCE, item.title)
    return ready


def _put(
    subscription: CalendarSubscription, item: FileObject, row: CalendarObject | None, ready: objects.PreparedObject | None,
    settings: Settings, leaving: tuple[int, int],
) -> None:  # fmt: skip
    if ready is None:
        if row is not None:
            objects.take_out(subscription.collection_id, [row])
        return
    size = len(item.text.encode()) - (row.size if row else 0)
    quota.check_room(subscription.collection_id, 0 if row else 1, size, settings, leaving=leaving)
    href = row.href if row else f"{_etag(item.uid)[:32]}.ics"
    objects.write(subscription.collection_id, href, item.text, ready, row)


@contextmanager
def _writing(subscription: CalendarSubscription) -> Iterator[None]:
    """A transaction that has locked the calendar. Raises SubscriptionEndedError."""
    with db.atomic():
        collections.lock([subscription.collection_id])
        mine = (CalendarSubscription.id == subscription.id) & (CalendarSubscription.collection == subscription.collection_id)
        if not CalendarSubscription.select().where(mine).exists():
            raise SubscriptionEndedError
        yield
