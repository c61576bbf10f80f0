"""Matching of items with the filters of queries (RFC 4791, 9.7 and 9.9; RFC 6352, 10.5), in linear time: no rule is followed
without a bound, and a line that can't be read hides no other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo

from webmail.dav.queries.query_filter import OPEN, CompFilter, ParamFilter, PropFilter, Span
from webmail.mime.formats.calendars import calendar_object, calendar_parsing
from webmail.mime.formats.calendars.calendar_object import UnusableCalendarError
from webmail.mime.formats.recurrence import occurrences
from webmail.mime.formats.recurrence.occurrences import Taking
from webmail.mime.formats.zones.asked_times import AskedTime, Kind, without_zones

_HEAD = re.compile(r"(?:[A-Za-z0-9-]{1,60}\.)?([A-Za-z0-9-]{1,60})((?:;[^:\"]*(?:\"[^\"]*\"[^:\"]*)*)?):", re.DOTALL)
_PARAM = re.compile(r';([A-Za-z0-9-]+)=((?:"[^"]*"|[^";,])*(?:,(?:"[^"]*"|[^";,])*)*)')
_LENGTH = re.compile(r"([+-]?)P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")
_MOST_LINES = 20_000
_DAY = 86_400
_AHEAD = 2 * 366 * _DAY  # how far into a time without an end what recurs is looked for
_LONGEST_ALARM = 31 * _DAY  # how long one that repeats is followed, of what recurs


@dataclass(slots=True)
class AskedProperty:
    name: str
    params: str
    value: str


@dataclass(slots=True)
class AskedComponent:
    name: str
    props: list[AskedProperty] = field(default_factory=list)
    inner: list[AskedComponent] = field(default_factory=list)

    def value(self, name: str) -> AskedProperty | None:
        return next((one for one in self.props if one.name == name), None)


@dataclass(slots=True)
class Subject:
    """An item that is asked about. `zone`: where times without a zone are meant."""

    text: str
    zone: tzinfo

    def matches(self, comp_filter: CompFilter) -> bool:
        """Times of events are not asked for again, since the table of occurrences has answered that: only whether a changed one
        of a series, whose words would do, is the one that takes place then."""
        root = tree(self.text)
        return root is not None and self._fits(root, comp_filter)

    def _fits(self, found: AskedComponent, comp_filter: CompFilter) -> bool:
        if found.name != comp_filter.name:
            return False
        if comp_filter.time is not None and not self._touches(found, comp_filter.time):
            return False
        props = (self._has(found.props, one) for one in comp_filter.props)
        if comp_filter.props and not (all(props) if comp_filter.all_of else any(props)):
            return False
        return all(self._has_component(found, one) for one in comp_filter.comps)

    def _has_component(self, found: AskedComponent, comp_filter: CompFilter) -> bool:
        if comp_filter.absent:
            return all(one.name != comp_filter.name for one in found.inner)
        if comp_filter.name == "VALARM" and comp_filter.time is not None:
            return any(self._rings(found, one, comp_filter) for one in found.inner if one.name == "VALARM")
        return any(self._fits(one, comp_filter) for one in found.inner)

    def _has(self, props: Iterable[AskedProperty], prop_filter: PropFilter) -> bool:
        mine = [one for one in props if one.name == prop_filter.name]
        if prop_filter.absent:
            return not mine
        return any(self._prop_fits(one, prop_filter) for one in mine)

    def _prop_fits(self, prop: AskedProperty, prop_filter: PropFilter) -> bool:
        if prop_filter.time is not None:
            at = self.seconds(prop)
            if at is None or not prop_filter.time[0] <= at < prop_filter.time[1]:
                return False
        value = _plain(prop.value)
        tests = [one.matches(value) for one in prop_filter.texts] + [_param_fits(prop, one) for one in prop_filter.params]
        return not tests or (all(tests) if prop_filter.all_of else any(tests))

    # --- times -------------------------------------------------------------------------------------------------------

    def _touches(self, found: AskedComponent, span: Span) -> bool:
        """A task, a journal entry or busy times, or a changed event of a series (RFC 4791, 9.9)."""
        start, end = span
        if found.name == "VEVENT":
            named, (begins, ends) = found.value("RECURRENCE-ID"), self.extent(found)
            if named is None or "RANGE=" in named.params.upper() or begins is None:
                return True
            return begins < end and ((begins if ends is None else ends) > start or begins >= start)
        if found.name == "VJOURNAL":
            begins = self._at(found, "DTSTART")
            length = _DAY if _is_day(found.value("DTSTART")) else 0
            return begins is not None and begins < end and (begins + length > start or begins >= start)
        if found.value("RRULE") or found.value("RDATE"):
            return self._recurs_in(found, span)
        begins, due = self._at(found, "DTSTART"), self._at(found, "DUE")
        if begins is not None or due is not None:
            return _task_touches(found, begins, self.extent(found)[1] if due is None else due, span)
        done, made = self._at(found, "COMPLETED"), self._at(found, "CREATED")
        if done is not None and made is not None:
            return (start <= made or start <= done) and (end >= made or end >= done)
        if done is not None:
            return start <= done <= end
        return made is None or end > made

    def _recurs_in(self, found: AskedComponent, span: Span) -> bool:
        """Of a task that recurs. What can't be followed within bounds may well take place then."""
        takings = self._takings((span[0] - 1, span[1] + 1))
        if takings is None:
            return True
        alone = found.value("DTSTART") is None  # it is due, and has no beginning
        return any(_task_touches(found, None if alone else begins, ends, span) for begins, ends in takings)

    def _takings(self, span: Span) -> list[tuple[int, int]] | None:
        """When an event or a task that recurs takes place about this time; None where it can't be followed."""
        start, end = span
        if (text := _as_event(self.text)) is None:
            return None
        try:
            read = calendar_object.read(text)
            begins = min((at for at in map(self._start_of, read.reduced.splitlines()) if at is not None), default=0)
            start = max(start, -(2**31))
            asked = AskedTime(start, min(end, max(start, begins) + _AHEAD), self.zone, self.zone)
            found = occurrences.expand(read, *asked.wide, self.zone).takings
        except UnusableCalendarError:
            return None
        kinds: list[tuple[Kind, Taking]] = [("day" if one.whole_day else "fixed", one) for one in found]
        return [
            (asked.moment(kind, one.start), asked.moment(kind, one.end))
            for kind, one in kinds
            if asked.touched_by(kind, one.start, one.end)
        ]

    def _start_of(self, line: str) -> int | None:
        name, _colon, value = line.partition(":")
        return self.seconds(AskedProperty("DTSTART", name[7:], value)) if name.upper().startswith("DTSTART") else None

    def _rings(self, around: AskedComponent, alarm: AskedComponent, comp_filter: CompFilter) -> bool:
        """Whether an alarm is due in the time that is asked for, or one of its repetitions."""
        if (
            not self._fits(alarm, CompFilter("VALARM", props=comp_filter.props, comps=comp_filter.comps))
            or comp_filter.time is None
        ):
            return False
        start, end = comp_filter.time
        trigger = alarm.value("TRIGGER")
        if trigger is None:
            return False
        times, every = _repeated(alarm)
        if not trigger.value.lstrip("+-").upper().startswith("P"):
            at = self.seconds(trigger)
            return at is not None and _is_due(at, times, every, comp_filter.time)
        before, at_end = seconds_of(trigger.value), "RELATED=END" in trigger.params.upper()
        if around.value("RRULE") or around.value("RDATE"):
            wide = max(start, -OPEN + _DAY) - before - min(times * every, _LONGEST_ALARM), min(end, OPEN - _DAY) - before
            takings = self._takings(wide) or []
            return any(_is_due((ends if at_end else begins) + before, times, every, comp_filter.time) for begins, ends in takings)
        begins, ends = self.extent(around)
        at = (ends if ends is not None else begins) if at_end else begins if begins is not None else ends
        return at is not None and _is_due(at + before, times, every, comp_filter.time)

    def extent(self, found: AskedComponent) -> tuple[int | None, int | None]:
        """When a component begins and ends, without its rules."""
        begins, ends = self._at(found, "DTSTART"), self._at(found, "DTEND")
        ends = self._at(found, "DUE") if ends is None else ends
        if ends is None and begins is not None:
            if lasts := found.value("DURATION"):
                ends = begins + seconds_of(lasts.value)
            elif found.name == "VEVENT" and _is_day(found.value("DTSTART")):
                ends = begins + _DAY
        return begins, ends

    def _at(self, found: AskedComponent, name: str) -> int | None:
        prop = found.value(name)
        return self.seconds(prop) if prop is not None else None

    def seconds(self, prop: AskedProperty) -> int | None:
        """Seconds since 1970 of a date or a time; None of what is neither."""
        value = prop.value.strip()
        try:
            if len(value) == 8:
                return occurrences.seconds(datetime(int(value[:4]), int(value[4:6]), int(value[6:])), self.zone)
            moment = datetime.strptime(value.rstrip("Z"), "%Y%m%dT%H%M%S")
            if value.endswith("Z"):
                return int((moment - datetime(1970, 1, 1)).total_seconds())
            named = re.search(r';TZID="?([^";:]+)', prop.params, re.IGNORECASE)
            zone = calendar_parsing.known_zone(named[1]) if named else None
            return occurrences.seconds(moment.replace(tzinfo=zone or self.zone), self.zone)
        except (ValueError, OverflowError, OSError):
            return None


def _task_touches(found: AskedComponent, begins: int | None, due: int | None, span: Span) -> bool:
    """One time of a task (RFC 4791, 9.9). `due`: its end too, if it has a beginning and a duration."""
    start, end = span
    if begins is None:
        return due is not None and start < due <= end
    if found.value("DUE") is not None and due is not None:
        return (start < due or start <= begins) and (end > begins or end >= due)
    if found.value("DURATION") is not None and due is not None:
        return start <= due and (end > begins or end >= due)
    return start <= begins < end


def _repeated(alarm: AskedComponent) -> tuple[int, int]:
    """How often an alarm is repeated, and after how many seconds each time."""
    many, every = alarm.value("REPEAT"), alarm.value("DURATION")
    if many is None or every is None or not re.fullmatch("[0-9]{1,6}", many.value.strip()):
        return 0, 0
    length = seconds_of(every.value)
    return (int(many.value), length) if length > 0 else (0, 0)


def _is_due(at: int, times: int, every: int, span: Span) -> bool:
    """Whether an alarm is due in this time that first is at another one, and then so many times again."""
    start, end = span
    if times and at < start:
        at += min(-(-(start - at) // every), times) * every
    return start <= at < end


def tree(text: str) -> AskedComponent | None:
    """The outer component of a text with all that is in it; lines that are none are left out. None where there is none."""
    root: AskedComponent | None = None
    stack: list[AskedComponent] = []
    for raw in re.sub("\r?\n[ \t]", "", text).splitlines()[:_MOST_LINES]:
        match = _HEAD.match(raw[:4_000])
        if match is None:
            continue
        name, value = match[1].upper(), raw[match.end() :]
        if name == "BEGIN":
            made = AskedComponent(value.strip().upper())
            if stack:
                stack[-1].inner.append(made)
            elif root is None:
                root = made
            stack.append(made)
        elif name == "END":
            if stack:
                stack.pop()
        elif stack:
            stack[-1].props.append(AskedProperty(name, match[2], value))
    return root


def seconds_of(duration: str) -> int:
    """Of a DURATION (RFC 5545, 3.3.6); 0 of what is none."""
    match = _LENGTH.fullmatch(duration.strip().upper())
    if match is None:
        return 0
    weeks, days, hours, minutes, seconds = (min(int(part or 0), 10**6) for part in match.groups()[1:])
    length = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds).total_seconds()
    return int(-length if match[1] == "-" else length)


def _param_fits(prop: AskedProperty, param_filter: ParamFilter) -> bool:
    values = [value for name, value in _PARAM.findall(prop.params) if name.upper() == param_filter.name]
    if param_filter.absent or not values:
        return param_filter.absent and not values
    return param_filter.text is None or any(
        param_filter.text.matches(one.strip('"')) for value in values for one in value.split(",")
    )


def _plain(value: str) -> str:
    return re.sub(r"\\(.)", lambda match: "\n" if match[1] in "nN" else match[1], value) if "\\" in value else value


def _is_day(prop: AskedProperty | None) -> bool:
    return prop is not None and len(prop.value.strip()) == 8


def _as_event(text: str) -> str | None:
    """A task as an event with the same times and rules; None where it has none to begin with. An event stays as it is."""
    if "VTODO" not in text:
        return text
    changed = re.sub(r"(?m)^(BEGIN|END):VTODO", r"\1:VEVENT", re.sub("\r?\n[ \t]", "", text))
    begins = re.search(r"(?m)^DTSTART[;:]", without_zones(changed)) is not None  # theirs are none of the task
    if not begins and not re.search(r"(?m)^DUE[;:]", changed):
        return None
    return re.sub(r"(?m)^DUE(?=[;:])", "DTEND" if begins else "DTSTART", changed)
