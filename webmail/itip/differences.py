"""Differences: what a new version of an event changes, old and new, for people."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from webmail.itip import people
from webmail.itip.instances import Instances
from webmail.mime.formats.calendars import event_edit
from webmail.mime.formats.calendars.component_tree import BrokenTextError, Component
from webmail.mime.formats.calendars.event_edit import EventFields
from webmail.mime.formats.recurrence.series import CannotChangeError, Series, series_of

MOST = 20
_TOLD = ("title", "place", "video", "notes", "rule", "status")


@dataclass(frozen=True, slots=True)
class EventTime:
    """A moment in UTC, or a day; `end` of whole days is the last one. `floating`: wherever one is."""

    start: date | datetime
    end: date | datetime
    floating: bool = False


@dataclass(frozen=True, slots=True)
class EventDifference:
    """`name`: "time", "title", "place", "video", "notes", "rule", "status", "left-out" (times of a series), "guests". `at`: of
    which one of a series ("" for all of it) as its RECURRENCE-ID says, and `begins` when that begins."""

    name: str
    before: str | EventTime
    after: str | EventTime
    at: str = ""
    begins: date | datetime | None = None


def differences(before: str, after: str) -> list[EventDifference]:
    """What differs between two versions, at most MOST. Never raises."""
    try:
        old, new = series_of(before), series_of(after)
        return _between(old, new)[:MOST]
    except (CannotChangeError, BrokenTextError, ValueError, TypeError, OverflowError, LookupError):
        return []


def _between(old: Series, new: Series) -> list[EventDifference]:
    found: list[EventDifference] = []
    if old.master and new.master:
        found += _compared(_seen(old.master, old), _seen(new.master, new), "", None)
        found += _guests(old.master, new.master, "", None)
        if dropped := Instances(old).newly_left_out(new):
            found.append(
                EventDifference("left-out", "", ", ".join(event_edit.clock_text(new.stamp(one)) for one in dropped[:MOST]))
            )
    for event in new.overrides[:MOST]:
        stamp = event_edit.stamp_of(event.first("RECURRENCE-ID"), new.root)
        if stamp is None:
            continue
        clock, at = old.clock(stamp), event_edit.clock_text(stamp)
        known = old.override(clock)
        try:
            model = known or old.model(clock)[0]
        except CannotChangeError:
            continue
        former = _seen(model, old)
        if known is None:
            starts = old.stamp(old.model(clock)[1])
            length = _length(former[1])
            begins = starts.instant()
            former = replace(former[0], rule=""), EventTime(begins, begins + length, starts.tz is None and not starts.is_day)
        found += _compared(former, _seen(event, new), at, stamp.instant()) + _guests(model, event, at, stamp.instant())
    return found


def _length(time: EventTime) -> timedelta:
    if isinstance(time.end, datetime) and isinstance(time.start, datetime):
        return time.end - time.start
    return date(time.end.year, time.end.month, time.end.day) - date(time.start.year, time.start.month, time.start.day)


Seen = tuple[EventFields, EventTime]


def _seen(event: Component, series: Series) -> Seen:
    found = event_edit.read(event, series.root)
    start = event_edit.stamp_of(event.first("DTSTART"), series.root)
    assert start is not None  # or `read` raised
    end = replace(start, at=found.end).instant()
    return found, EventTime(start.instant(), end, start.tz is None and not start.is_day)


def _compared(before: Seen, after: Seen, at: str, begins: date | datetime | None) -> list[EventDifference]:
    found = [EventDifference("time", before[1], after[1], at, begins)] if before[1] != after[1] else []
    for name in _TOLD:
        was, now = getattr(before[0], name), getattr(after[0], name)
        if name == "status":
            was, now = was.replace("confirmed", ""), now.replace("confirmed", "")
        if was != now:
            found.append(EventDifference(name, was, now, at, begins))
    return found


def _guests(before: Component, after: Component, at: str, begins: date | datetime | None) -> list[EventDifference]:
    was = {guest.key: guest.name or guest.address for guest in people.guests(before)}
    now = {guest.key: guest.name or guest.address for guest in people.guests(after)}
    gone = ", ".join(name for key, name in list(was.items())[:200] if key not in now)
    come = ", ".join(name for key, name in list(now.items())[:200] if key not in was)
    return [EventDifference("guests", gone[:500], come[:500], at, begins)] if gone or come else []
