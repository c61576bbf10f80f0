"""Series of events: one of those that recur, or this and the following, changed or taken out (RFC 5545, 3.8.4.4 and 3.8.5)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from webmail.mime.formats.calendars import event_edit
from webmail.mime.formats.calendars.component_tree import Component, TextLine, parsed
from webmail.mime.formats.calendars.event_edit import EventFields, Stamp
from webmail.mime.formats.recurrence import recurrence_edit

_OF_SERIES = ("RRULE", "RDATE", "EXDATE", "EXRULE", "RECURRENCE-ID")
_ONCE = "FREQ=DAILY;COUNT=1"  # where nothing is left of a rule but the beginning, which it doesn't know
Clock = date | datetime  # a moment by the clock of the series


class CannotChangeError(ValueError):
    """The series can't be changed so. `reason`: "day" (its rule can't be moved to another day), "range" (another program changed
    several at once), "rule" (a rule for one alone), "term" (all in school holidays), "nothing" (there is no such one)."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(slots=True)
class Series:
    """A calendar object: what recurs (None if it has only single ones of it), and the changed ones."""

    root: Component
    master: Component | None
    overrides: list[Component]

    @property
    def start(self) -> Stamp:
        found = event_edit.stamp_of((self.master or self.overrides[0]).first("DTSTART"), self.root)
        if found is None:
            raise CannotChangeError("nothing")
        return found

    @property
    def recurs(self) -> bool:
        return self.master is None or bool(self.master.lines("RRULE", "RDATE"))

    def clock(self, stamp: Stamp, start: Stamp | None = None) -> Clock:
        """A moment by the clock of the series, by which ones of it are told apart. `start`: of the series, if known."""
        start, at = start or self.start, stamp.at
        if not isinstance(at, datetime) or (stamp.zone, stamp.tzid) == (start.zone, start.tzid):
            return at
        if start.is_day:
            return at.date()
        if stamp.tz is None or start.tz is None:
            return at
        return at.replace(tzinfo=stamp.tz).astimezone(start.tz).replace(tzinfo=None)

    def stamp(self, clock: Clock) -> Stamp:
        """The moment as the text names it."""
        start = self.start
        return event_edit.stamp_for(clock, start.zone, start)

    def named(self, at: str) -> Clock:
        """The moment of a RECURRENCE-ID as the index of occurrences has it. Raises CannotChangeError."""
        found = event_edit.stamps_of(TextLine("", "RECURRENCE-ID", "", at), self.root)
        if len(found) != 1:
            raise CannotChangeError("nothing")
        return self.clock(found[0])

    def clock_of(self, override: Component) -> Clock | None:
        stamp = event_edit.stamp_of(override.first("RECURRENCE-ID"), self.root)
        return self.clock(stamp) if stamp else None

    def override(self, at: Clock) -> Component | None:
        return next((one for one in self.overrides if self.is_at(one, at)), None)

    def is_at(self, override: Component, at: Clock) -> bool:
        """Whether this is what was changed of the one at a moment."""
        other = self.clock_of(override)
        return other is not None and self.same(other, at)

    def same(self, clock: Clock, other: Clock) -> bool:
        """Whether two moments are the same. An hour that the clock skips has two names."""
        if not isinstance(clock, datetime) or not isinstance(other, datetime):
            return _day(clock) == _day(other)
        tz = self.start.tz or UTC
        return clock == other or clock.replace(tzinfo=tz).astimezone(UTC) == other.replace(tzinfo=tz).astimezone(UTC)

    def model(self, at: Clock) -> tuple[Component, Clock]:
        """What one that was not changed itself is like, and when that takes place: the series, or one by which the following were
        changed too (RANGE=THISANDFUTURE). Raises CannotChangeError."""
        ranged = [
            (before, one)
            for one in self.overrides
            if is_ranged(one) and (before := self.clock_of(one)) is not None and as_time(before) <= as_time(at)
        ]
        if ranged:
            named, one = max(ranged, key=lambda each: as_time(each[0]))
            start = event_edit.stamp_of(one.first("DTSTART"), self.root)
            own = self.clock(start) if start else named
            return one, at + (own - named) if isinstance(own, datetime) == isinstance(named, datetime) else at
        if self.master is None:
            raise CannotChangeError("nothing")
        return self.master, at

    def dates(self, name: str) -> list[Clock]:
        """The moments of the series' own EXDATE or RDATE."""
        lines = self.master.lines(name) if self.master else []
        start = self.start if lines else None
        return [self.clock(stamp, start) for line in lines for stamp in event_edit.stamps_of(line, self.root)]


def is_ranged(override: Component) -> bool:
    """Whether the following ones were changed with it (RANGE=THISANDFUTURE)."""
    line = override.first("RECURRENCE-ID")
    return line is not None and line.param("RANGE").upper() == "THISANDFUTURE"


def _day(moment: Clock) -> date:
    return moment.date() if isinstance(moment, datetime) else moment


def as_time(moment: Clock) -> datetime:
    return moment if isinstance(moment, datetime) else datetime(moment.year, moment.month, moment.day)


def series_of(text: str) -> Series:
    """Take a checked object apart. Raises CannotChangeError, BrokenTextError."""
    root = parsed(text)
    events = root.parts("VEVENT")
    if not events:
        raise CannotChangeError("nothing")
    masters = [one for one in events if one.first("RECURRENCE-ID") is None]
    master = max(masters, key=_version) if masters else None
    earlier = [one for one in masters if one is not master and one.lines("RRULE", "RDATE")]  # versions that count for nothing
    root.drop(lambda one: any(one is each for each in earlier))
    return Series(root, master, [one for one in events if one.first("RECURRENCE-ID") is not None])


def _version(event: Component) -> int:
    number = event.value("SEQUENCE")
    return int(number) if number.isascii() and number.isdigit() and len(number) < 10 else 0


def occurrence_fields(series: Series, at: str) -> EventFields:
    """What people see of one of those that recur; `at` "": of the whole. Raises CannotChangeError, ValueError."""
    if not at or not series.recurs:
        return event_edit.read(series.master or series.overrides[0], series.root)
    clock = series.named(at)
    rule = series.master.value("RRULE") if series.master else ""
    if (changed := series.override(clock)) is not None:
        return replace(event_edit.read(changed, series.root), rule=rule)
    model, start = series.model(clock)
    return placed(replace(event_edit.read(model, series.root), rule=rule), start)


def component_at(series: Series, at: str) -> Component:
    """The component that says what one is like. Raises CannotChangeError."""
    if not at or not series.recurs:
        return series.master or series.overrides[0]
    clock = series.named(at)
    return series.override(clock) or series.model(clock)[0]


def placed(existing: EventFields, start: Clock) -> EventFields:
    """The same at another time."""
    return replace(existing, start=start, end=start + existing.length)


# --- one -------------------------------------------------------------------------------------------------------------


def change_one(text: str, at: str, before: EventFields, after: EventFields) -> str:
    """Change one of those that recur, or what doesn't recur. Raises CannotChangeError."""
    series = series_of(text)
    if not series.recurs:
        event_edit.change(series.master or series.overrides[0], series.root, before, after)
        return str(series.root)
    if before.rule != after.rule:
        raise CannotChangeError("rule")
    clock = series.named(at)
    one = series.override(clock) or new_override(series, clock)
    event_edit.change(one, series.root, replace(before, rule=""), replace(after, rule=""))
    return str(series.root)


def new_override(series: Series, clock: Clock, like: tuple[Component, Clock] | None = None) -> Component:
    """`like`: what `Series.model` says, where it is known."""
    model, start = like or series.model(clock)
    one = model.copy()
    known = replace(event_edit.read(one, series.root), rule="")
    one.remove(*_OF_SERIES)
    event_edit.change(one, series.root, known, placed(known, start))
    uid = next((at for at, item in enumerate(one.items) if isinstance(item, TextLine) and item.name == "UID"), -1)
    one.items.insert(uid + 1, event_edit.written("RECURRENCE-ID", [series.stamp(clock)]))
    items = series.root.items
    last = next(at for at in reversed(range(len(items))) if isinstance(item := items[at], Component) and item.name == "VEVENT")
    items.insert(last + 1, one)
    series.overrides.append(one)
    return one


def take_one(text: str, at: str) -> str:
    """Take one out of those that recur; "" if nothing is left. Raises CannotChangeError."""
    series = series_of(text)
    if not series.recurs:
        return ""
    clock = series.named(at)
    drop_overrides(series, lambda one: series.is_at(one, clock))
    if series.master is None:
        return str(series.root) if series.root.parts("VEVENT") else ""
    series.master.add(event_edit.written("EXDATE", [series.stamp(clock)]))
    event_edit.touch(series.master, timed=True)
    return str(series.root)


def one_on(text: str, at: str, uid: str) -> str:
    """One of those that recur as an event of its own, with this UID. Raises CannotChangeError."""
    series = series_of(text)
    clock = series.named(at)
    one = series.override(clock) or new_override(series, clock)
    one.remove(*_OF_SERIES)
    one.put(event_edit.made("UID", uid))
    series.root.drop(lambda each: isinstance(each, Component) and each.name == "VEVENT" and each is not one)
    return str(series.root)


def drop_overrides(series: Series, leaves: Callable[[Component], bool]) -> int:
    """Take out changed ones; returns how many."""
    gone = [one for one in series.overrides if leaves(one)]
    series.root.drop(lambda one: any(one is each for each in gone))
    series.overrides = [one for one in series.overrides if not any(one is each for each in gone)]
    return len(gone)


# --- this and following ----------------------------------------------------------------------------------------------


def is_first(text: str, at: str) -> bool:
    """Whether nothing of the series comes before this one, so that it and the following are all. Raises CannotChangeError."""
    series = series_of(text)
    return _parted(series, series.named(at)) is None


def _parted(series: Series, clock: Clock) -> tuple[str, str] | None:
    """The rules before and from this one on; None if nothing comes before. Raises CannotChangeError."""
    if series.master is None:
        raise CannotChangeError("nothing")
    if any(is_ranged(one) for one in series.overrides):
        raise CannotChangeError("range")
    start, rule = series.start, series.master.value("RRULE")
    earlier = as_time(start.at) < as_time(clock) or any(as_time(one) < as_time(clock) for one in series.dates("RDATE"))
    if not earlier:
        return None
    first, then = recurrence_edit.cut(rule, start.at, clock, start.tz) if rule else ("", "")
    return first or (_ONCE if rule else ""), then


def count_before(text: str, at: str) -> int:
    """How often the rule of a series applies before this one. Raises CannotChangeError."""
    series = series_of(text)
    rule = series.master.value("RRULE") if series.master else ""
    start = series.start
    return len(recurrence_edit.dates(rule, start.at, as_time(series.named(at)), start.tz)) if rule else 0


def end_before(text: str, at: str) -> str:
    """The series without this one and the following; "" if nothing is left. Raises CannotChangeError."""
    series = series_of(text)
    clock = series.named(at)
    found = _parted(series, clock)
    if found is None or series.master is None:
        return ""
    _keep(series, series.master, lambda one: as_time(one) < as_time(clock), found[0])
    event_edit.touch(series.master, timed=True)
    return str(series.root)


def from_on(text: str, at: str, uid: str) -> str:
    """A new series of this one and the following, with this UID. Raises CannotChangeError."""
    series = series_of(text)
    clock = series.named(at)
    found = _parted(series, clock)
    if found is None or series.master is None:
        raise CannotChangeError("nothing")
    known = event_edit.read(series.master, series.root)
    begins = _beginning(series, clock, series.master.value("RRULE"))
    _keep(series, series.master, lambda one: as_time(one) >= as_time(clock), found[1])
    known = replace(known, rule="")
    event_edit.change(series.master, series.root, known, placed(known, begins))
    for event in series.root.parts("VEVENT"):
        event.put(event_edit.made("UID", uid))
    return str(series.root)


def _beginning(series: Series, clock: Clock, rule: str) -> Clock:
    """Where a series begins whose first one is at `clock`: one that only an RDATE names stays so, for it would draw the rule,
    which counts from the beginning, to its own day and time."""
    start = series.start
    first = recurrence_edit.first_from(rule, start.at, clock, start.tz) if rule and start.at != clock else None
    if first is None:
        return clock
    return first if isinstance(clock, datetime) else first.date()


def _keep(series: Series, master: Component, stays: Callable[[Clock], bool], rule: str) -> None:
    """Keep the part of a series whose moments stay, with this rule."""
    drop_overrides(series, lambda one: not stays(series.clock_of(one) or date.min))
    for name in ("EXDATE", "RDATE"):
        filter_dates(series, name, stays)
    if not rule:
        master.remove("RRULE")
    elif recurrence_edit.parts_of(rule) != recurrence_edit.parts_of(master.value("RRULE")):
        master.put(event_edit.made("RRULE", rule))


def filter_dates(series: Series, name: str, stays: Callable[[Clock], bool]) -> None:
    """Keep those of EXDATE or RDATE that stay; lines that all stay are not touched."""
    master = series.master
    assert master is not None
    for line in master.lines(name):
        texts = [one for one in line.value.split(",") if one.strip()]
        left = [one for one in texts if any(map(stays, map(series.clock, _stamps(line, one, series))))]
        at = next(at for at, one in enumerate(master.items) if one is line)
        if not left:
            del master.items[at]
        elif left != texts:
            master.items[at] = event_edit.made(name, ",".join(left), line.params)


def _stamps(line: TextLine, text: str, series: Series) -> list[Stamp]:
    return event_edit.stamps_of(replace(line, value=text), series.root)
