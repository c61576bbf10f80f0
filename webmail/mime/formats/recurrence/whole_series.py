"""All events of a series changed as one of them was: its exceptions and changed ones follow (RFC 5545, 3.8.5)."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any

from webmail.mime.formats.calendars import event_edit
from webmail.mime.formats.calendars.component_tree import Component
from webmail.mime.formats.calendars.event_edit import EventFields
from webmail.mime.formats.recurrence import recurrence_edit
from webmail.mime.formats.recurrence.series import (
    CannotChangeError,
    Clock,
    Series,
    as_time,
    drop_overrides,
    filter_dates,
    series_of,
)

_TIMES = ("start", "end", "zone", "rule")


def change_all(text: str, before: EventFields, after: EventFields) -> tuple[str, int]:
    """Change all that recur as one of them was changed from `before` to `after`; returns how many of the changed ones a new rule
    no longer knows, which go with the old one. Raises CannotChangeError.
    """
    series = series_of(text)
    master = series.master
    if master is None:
        raise CannotChangeError("nothing")
    known = event_edit.read(master, series.root)
    if not after.rule and before.rule:
        lost = drop_overrides(series, lambda _one: True)
        times = {name: getattr(after, name) for name in _TIMES}
        event_edit.change(master, series.root, known, replace(known, **_differing(before, after) | times))
        return str(series.root), lost
    move = _Move(before, after, known)
    goal = _goal(known, before, after, move, series.start.tz)
    listed = {name: series.dates(name) for name in ("EXDATE", "RDATE")}
    clocks = [(one, series.clock_of(one)) for one in series.overrides]
    event_edit.change(master, series.root, known, goal)
    if move.moves:
        _move_dates(series, master, listed, move)
    for one, clock in clocks:
        if clock is not None:
            _follow(series, one, clock, (known, goal), move)
    lost = _drop_unknown(series, master) if before.rule != after.rule else 0
    return str(series.root), lost


def _differing(before: EventFields, after: EventFields) -> dict[str, Any]:
    return {
        one.name: getattr(after, one.name) for one in fields(EventFields) if getattr(before, one.name) != getattr(after, one.name)
    }


class _Move:
    """How moments of a series move with one that was moved from `before` to `after`."""

    def __init__(self, before: EventFields, after: EventFields, existing: EventFields) -> None:
        self.before, self.after = before, after
        self.days = (_day(after.start) - _day(before.start)).days
        several = "," in recurrence_edit.parts_of(existing.rule).get("BYDAY", "")
        self.weekday = _day(before.start).weekday() if several and self.days % 7 else None  # only those of that day move
        self.moves = (before.start, before.zone) != (after.start, after.zone) or before.all_day != after.all_day

    def __call__(self, at: Clock) -> Clock:
        days = self.days if self.weekday is None or _day(at).weekday() == self.weekday else 0
        day = _day(at) + timedelta(days=days)
        start = self.after.start
        if not isinstance(start, datetime):
            return day
        if not isinstance(at, datetime) or not isinstance(self.before.start, datetime):
            return datetime.combine(day, start.time())
        return datetime.combine(day, at.time()) + (_of_day(start) - _of_day(self.before.start))

    def last(self, until: datetime) -> datetime:
        """When a rule ends that ended then."""
        days = self.days if self.weekday is None else max(self.days, 0)
        start = self.after.start
        if not isinstance(start, datetime) or not isinstance(self.before.start, datetime):
            return datetime.combine(until.date() + timedelta(days=days), time(23, 59, 59))
        return until + timedelta(days=days) + (_of_day(start) - _of_day(self.before.start))


def _day(moment: Clock) -> date:
    return moment.date() if isinstance(moment, datetime) else moment


def _of_day(moment: datetime) -> timedelta:
    return moment - datetime.combine(moment.date(), time())


def _goal(existing: EventFields, before: EventFields, after: EventFields, move: _Move, tz: tzinfo | None) -> EventFields:
    """The fields of the series after a change of one of its events; `tz`: its zone before."""
    changed = {name: value for name, value in _differing(before, after).items() if name not in _TIMES}
    start = _beginning(existing, move, tz) if move.moves else existing.start
    zone = after.zone if before.zone != after.zone or before.all_day != after.all_day else existing.zone
    kind_differs = isinstance(start, datetime) != isinstance(existing.start, datetime)
    length = after.length if before.length != after.length or kind_differs else existing.length
    then = tz if zone == existing.zone else event_edit.zone_of(zone)
    rule = after.rule if before.rule != after.rule else _moved_rule(existing.rule, before, after, move, (tz, then))
    return replace(existing, **changed, start=start, end=start + length, rule=rule, zone=zone)


def _beginning(existing: EventFields, move: _Move, tz: tzinfo | None) -> Clock:
    """When the series begins: where only those of one weekday move, another of its first week may be the first now."""
    if move.weekday is None:
        return move(existing.start)
    week = recurrence_edit.dates(existing.rule, existing.start, as_time(existing.start) + timedelta(days=7), tz)
    return min([move(existing.start), *map(move, week)], key=as_time)


def _moved_rule(
    rule: str, before: EventFields, after: EventFields, move: _Move, zones: tuple[tzinfo | None, tzinfo | None]
) -> str:
    """The rule moved along, with its end; `zones` before and after."""
    if not move.moves or not rule:
        return rule
    moved = recurrence_edit.moved(rule, _day(before.start), _day(after.start)) if move.days else rule
    if moved is None:
        raise CannotChangeError("day")
    parts = recurrence_edit.parts_of(moved)
    until = recurrence_edit.until_of(parts, zones[0])
    if until is None:
        return moved
    last = move.last(until)
    parts["UNTIL"] = recurrence_edit.until_text(last.date() if after.all_day else last, zones[1])
    return recurrence_edit.text_of(parts)


def _move_dates(series: Series, master: Component, listed: dict[str, list[Clock]], move: _Move) -> None:
    if any(line.param("VALUE").upper() == "PERIOD" for line in master.lines("RDATE")):
        raise CannotChangeError("range")  # each has an end of its own
    for name, clocks in listed.items():
        if clocks:
            master.put(event_edit.written(name, [series.stamp(move(at)) for at in clocks]))


def _follow(series: Series, component: Component, clock: Clock, change: tuple[EventFields, EventFields], move: _Move) -> None:
    """Let a changed one follow its series: what it had in common with it changes too."""
    known, goal = change
    own = event_edit.read(component, series.root)
    shared = {name: value for name, value in _differing(known, goal).items() if name not in _TIMES}
    wanted = replace(own, **{name: value for name, value in shared.items() if getattr(own, name) == getattr(known, name)})
    start = move(clock) if move.moves else clock
    if (own.start, own.zone) == (clock, known.zone):  # it takes place when the rule says
        kind_differs = isinstance(start, datetime) != isinstance(clock, datetime)
        length = goal.length if own.length == known.length or kind_differs else own.length
        wanted = replace(wanted, start=start, end=start + length, zone=goal.zone)
    event_edit.change(component, series.root, own, wanted)
    line = component.first("RECURRENCE-ID")
    if move.moves and line is not None:
        ranged = ";RANGE=THISANDFUTURE" if line.param("RANGE") else ""
        component.put(event_edit.written("RECURRENCE-ID", [series.stamp(start)], ranged))


def _drop_unknown(series: Series, master: Component) -> int:
    """Take out changed ones and exceptions that the rule does not know; returns how many changed ones."""
    clocks = [as_time(clock) for one in series.overrides if (clock := series.clock_of(one)) is not None]
    clocks += map(as_time, series.dates("EXDATE"))
    if not clocks:
        return 0
    start, latest = series.start, max(clocks) + timedelta(days=1)
    known = set(recurrence_edit.dates(master.value("RRULE"), start.at, latest, start.tz))
    known |= {as_time(start.at), *map(as_time, series.dates("RDATE"))}
    filter_dates(series, "EXDATE", lambda clock: as_time(clock) in known)
    return drop_overrides(series, lambda one: as_time(series.clock_of(one) or date.min) not in known)
