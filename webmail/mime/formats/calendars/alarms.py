"""Alarms: when an event wants somebody to be reminded (RFC 5545, 3.6.6; RFC 9074). Beyond a number of them, none is looked at.

For objects that `calendar_object.read` has checked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, tzinfo

from webmail.mime.formats.calendars.component_tree import BrokenTextError, Component, parsed
from webmail.mime.formats.calendars.event_edit import length_of, stamp_of
from webmail.mime.formats.recurrence.occurrences import Taking

MOST_ALARMS = 10  # of an event, and of each of its exceptions
MOST_REPEATS = 5  # of an alarm, after its first time
LONGEST = timedelta(days=60)  # before or after the event: nothing further away is looked at
_SHORTEST_PAUSE = timedelta(minutes=1)
_DAY = 86_400
_NIGHT = 6 * 3600  # so near to the midnight of a whole day nobody wants to be reminded
SCREEN, MAIL = "screen", "mail"
_ACTIONS = {"DISPLAY": SCREEN, "AUDIO": SCREEN, "EMAIL": MAIL}


@dataclass(frozen=True, slots=True)
class Alarm:
    """`offset` is in seconds from the start, or from the end; or it is `at` a time of its own (seconds since 1970).

    What a person saw on a device up to `seen` is over.
    """

    way: str
    offset: int = 0
    of_end: bool = False
    at: int | None = None
    repeats: int = 0
    pause: int = 0
    seen: int = 0


@dataclass(slots=True)
class Alarms:
    """The alarms of an event, and of those of its exceptions that have their own (by RECURRENCE-ID)."""

    own: tuple[Alarm, ...] = ()
    exceptions: dict[str, tuple[Alarm, ...]] = field(default_factory=dict)

    def for_occurrence(self, recurrence_id: str) -> tuple[Alarm, ...]:
        return self.exceptions.get(recurrence_id, self.own)

    def __bool__(self) -> bool:
        return any((self.own, *self.exceptions.values()))


@dataclass(frozen=True, slots=True, order=True)
class DueAlarm:
    """One time that an alarm goes off, in seconds since 1970."""

    due: int
    way: str
    taking: Taking = field(compare=False)


@dataclass(frozen=True, slots=True)
class Clock:
    """What a person's alarms go by: their time zone; and at what hour they hear of whole days."""

    zone: tzinfo
    hour: int = 8


def has_alarms(text: str) -> bool:
    """Whether there may be some: cheap."""
    return "BEGIN:VALARM" in text or "begin:valarm" in text.lower()


def alarms_of(text: str) -> Alarms:
    """The alarms of a checked object's events, or of what is to be done. Never raises."""
    found = Alarms()
    try:
        root = parsed(text)
    except BrokenTextError:
        return found
    for event in root.parts("VEVENT", "VTODO"):
        seen = _seconds(event, root, "X-MOZ-LASTACK")
        own = tuple(_alarms(event, root, seen))
        if (named := event.value("RECURRENCE-ID")) != "":
            found.exceptions[named] = own
        else:
            found.own = own
    return found


def _alarms(event: Component, root: Component, seen: int) -> Iterator[Alarm]:
    for alarm in event.parts("VALARM")[:MOST_ALARMS]:
        way, trigger = _ACTIONS.get(alarm.value("ACTION").upper()), alarm.first("TRIGGER")
        if way is None or trigger is None:
            continue
        repeats, pause = _repeats(alarm)
        one = Alarm(way, repeats=repeats, pause=pause, seen=max(seen, _seconds(alarm, root, "ACKNOWLEDGED")))
        length = length_of(trigger.value)
        if length is not None and abs(length) <= LONGEST:
            of_end = trigger.param("RELATED").upper() == "END"
            yield replace(one, offset=int(length.total_seconds()), of_end=of_end)
        elif length is None and (at := _seconds(alarm, root, "TRIGGER")):
            yield replace(one, at=at)


def _repeats(alarm: Component) -> tuple[int, int]:
    """How often an alarm comes again, and after how many seconds each time."""
    count, pause = alarm.value("REPEAT"), length_of(alarm.value("DURATION"))
    if pause is None or not _SHORTEST_PAUSE <= pause <= LONGEST or not re.fullmatch(r"[0-9]{1,9}", count):
        return 0, 0
    return min(int(count), MOST_REPEATS), int(pause.total_seconds())


def _seconds(component: Component, root: Component, name: str) -> int:
    """A moment of a component, in seconds since 1970; 0 for none."""
    stamp = stamp_of(component.first(name), root)
    if stamp is None or stamp.is_day:
        return 0
    moment = stamp.instant()
    return int(moment.timestamp()) if isinstance(moment, datetime) else 0


# --- when ------------------------------------------------------------------------------------------------------------


def reach(alarms: Alarms) -> tuple[int, int]:
    """How many seconds before an event begins, and after, the first and the last of its alarms may be."""
    offsets = [0]
    for one in (*alarms.own, *(one for several in alarms.exceptions.values() for one in several)):
        if one.at is None:
            offsets += [one.offset, one.offset + one.repeats * one.pause]
    return _DAY * 2 - min(offsets), _DAY * 2 + max(offsets)  # whole days begin at another time in each zone


def due_alarms(alarms: Alarms, takings: Iterable[Taking], clock: Clock) -> Iterator[DueAlarm]:
    """All times that alarms go off for these occurrences. None for what is cancelled."""
    absolute: set[Alarm] = set()
    for taking in takings:
        if taking.status == "CANCELLED":
            continue
        for alarm in alarms.for_occurrence(taking.recurrence_id):
            if alarm.at is not None and alarm in absolute:
                continue  # a time of its own comes once, however often the event does
            if alarm.at is not None:
                absolute.add(alarm)
            first = _first(alarm, taking, clock)
            for number in range(alarm.repeats + 1):
                if (due := first + number * alarm.pause) > alarm.seen:
                    yield DueAlarm(due, alarm.way, taking)


def _first(alarm: Alarm, taking: Taking, clock: Clock) -> int:
    if alarm.at is not None:
        return alarm.at
    at = taking.end if alarm.of_end else taking.start
    if not taking.whole_day:
        if alarm.offset % _DAY:
            return at + alarm.offset
        local = datetime.fromtimestamp(at, UTC).astimezone(clock.zone)
        return int((local + timedelta(seconds=alarm.offset)).timestamp())  # so many days by the clock (3.3.6)
    midnight = datetime.fromtimestamp(at, UTC).replace(tzinfo=None)
    wanted = midnight + timedelta(seconds=alarm.offset)
    if not alarm.offset % _DAY:
        wanted = wanted.replace(hour=clock.hour)
    elif abs(alarm.offset) < _NIGHT:
        wanted = midnight.replace(hour=clock.hour)
    return int(wanted.replace(tzinfo=clock.zone).timestamp())
