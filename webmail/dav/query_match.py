"""Matching of items with the filters of queries (RFC 4791, 9.7 and 9.9; RFC 6352, 10.5), in linear time: no rule is followed
without a bound, and a line that can't be read hides no other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo

from webmail.dav.query_filter import OPEN, CompFilter, ParamFilter, PropFilter, Span
from webmail.mime.formats import calendar_object, calendar_parsing, occurrences
from webmail.mime.formats.calendar_object import UnusableCalendar

_HEAD = re.compile(r"(?:[A-Za-z0-9-]{1,60}\.)?([A-Za-z0-9-]{1,60})((?:;[^:\"]*(?:\"[^\"]*\"[^:\"]*)*)?):", re.DOTALL)
_PARAM = re.compile(r';([A-Za-z0-9-]+)=((?:"[^"]*"|[^";,])*(?:,(?:"[^"]*"|[^";,])*)*)')
_LENGTH = re.compile(r"([+-]?)P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")
_MOST_LINES = 20_000
_DAY = 86_400
_AHEAD = 2 * 366 * _DAY  # how far into a time without an end what recurs is looked for
_BEFORE_ALARM = 8 * _DAY  # how long before an event an alarm is looked for


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

    def matches(self, asked: CompFilter) -> bool:
        """Times of events are not asked for again: the table of occurrences has answered that."""
        root = tree(self.text)
        return root is not None and self._fits(root, asked)

    def _fits(self, found: AskedComponent, asked: CompFilter) -> bool:
        if found.name != asked.name:
            return False
        if asked.time is not None and found.name != "VEVENT" and not self._touches(found, asked.time):
            return False
        props = (self._has(found.props, one) for one in asked.props)
        if asked.props and not (all(props) if asked.all_of else any(props)):
            return False
        return all(self._has_component(found, one) for one in asked.comps)

    def _has_component(self, found: AskedComponent, asked: CompFilter) -> bool:
        if asked.absent:
            return all(one.name != asked.name for one in found.inner)
        if asked.name == "VALARM" and asked.time is not None:
            return any(self._rings(found, one, asked) for one in found.inner if one.name == "VALARM")
        return any(self._fits(one, asked) for one in found.inner)

    def _has(self, props: Iterable[AskedProperty], asked: PropFilter) -> bool:
        mine = [one for one in props if one.name == asked.name]
        if asked.absent:
            return not mine
        return any(self._prop_fits(one, asked) for one in mine)

    def _prop_fits(self, prop: AskedProperty, asked: PropFilter) -> bool:
        if asked.time is not None:
            at = self._seconds(prop)
            if at is None or not asked.time[0] <= at < asked.time[1]:
                return False
        value = _plain(prop.value)
        tests = [one.matches(value) for one in asked.texts] + [_param_fits(prop, one) for one in asked.params]
        return not tests or (all(tests) if asked.all_of else any(tests))

    # --- times -------------------------------------------------------------------------------------------------------

    def _touches(self, found: AskedComponent, span: Span) -> bool:
        """A task, a journal entry or busy times (RFC 4791, 9.9)."""
        start, end = span
        if found.name == "VJOURNAL":
            begins = self._at(found, "DTSTART")
            length = _DAY if _is_day(found.value("DTSTART")) else 0
            return begins is not None and begins < end and (begins + length > start or begins >= start)
        if found.value("RRULE") or found.value("RDATE"):
            return self._recurs_in(span)
        begins, due = self._at(found, "DTSTART"), self._at(found, "DUE")
        if begins is not None and due is None and (lasts := found.value("DURATION")):
            ends = begins + seconds_of(lasts.value)
            return start <= ends and (end > begins or end >= ends)
        if begins is not None and due is not None:
            return (start < due or start <= begins) and (end > begins or end >= due)
        if begins is not None:
            return start <= begins < end
        if due is not None:
            return start < due <= end
        done, made = self._at(found, "COMPLETED"), self._at(found, "CREATED")
        if done is not None and made is not None:
            return (start <= made or start <= done) and (end >= made or end >= done)
        if done is not None:
            return start <= done <= end
        return made is None or end > made

    def _recurs_in(self, span: Span) -> bool:
        """Of a task that recurs: as an event with its times. What can't be followed within bounds may well take place then."""
        return any(True for _ in self._takings(span)) if _as_event(self.text) else True

    def _takings(self, span: Span) -> Iterator[tuple[int, int]]:
        start, end = span
        if (text := _as_event(self.text)) is None:
            return
        try:
            read = calendar_object.read(text)
            begins = min((at for at in map(self._start_of, read.reduced.splitlines()) if at is not None), default=0)
            start = max(start, -(2**31))
            end = min(end, max(start, begins) + _AHEAD)
            for one in occurrences.expand(read, start, end, self.zone).takings:
                if one.start < end and (one.end > start or one.start >= start):
                    yield one.start, one.end
        except UnusableCalendar:
            yield start, start

    def _start_of(self, line: str) -> int | None:
        name, _colon, value = line.partition(":")
        return self._seconds(AskedProperty("DTSTART", name[7:], value)) if name.upper().startswith("DTSTART") else None

    def _rings(self, around: AskedComponent, alarm: AskedComponent, asked: CompFilter) -> bool:
        """Whether an alarm is due in the time that is asked for; its repetitions are not looked at."""
        if not self._fits(alarm, CompFilter("VALARM", props=asked.props, comps=asked.comps)) or asked.time is None:
            return False
        start, end = asked.time
        trigger = alarm.value("TRIGGER")
        if trigger is None:
            return False
        if not trigger.value.lstrip("+-").upper().startswith("P"):
            at = self._seconds(trigger)
            return at is not None and start <= at < end
        before, at_end = seconds_of(trigger.value), "RELATED=END" in trigger.params.upper()
        if around.value("RRULE") or around.value("RDATE"):
            wide = max(start, -OPEN + _DAY) - _BEFORE_ALARM, min(end, OPEN - _DAY) + _BEFORE_ALARM
            return any(start <= (ends if at_end else begins) + before < end for begins, ends in self._takings(wide))
        begins = self._at(around, "DTSTART")
        ends = self._at(around, "DTEND") or self._at(around, "DUE")
        if ends is None and begins is not None and (lasts := around.value("DURATION")):
            ends = begins + seconds_of(lasts.value)
        at = (ends if ends is not None else begins) if at_end else begins if begins is not None else ends
        return at is not None and start <= at + before < end

    def _at(self, found: AskedComponent, name: str) -> int | None:
        prop = found.value(name)
        return self._seconds(prop) if prop is not None else None

    def _seconds(self, prop: AskedProperty) -> int | None:
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


def _param_fits(prop: AskedProperty, asked: ParamFilter) -> bool:
    values = [value for name, value in _PARAM.findall(prop.params) if name.upper() == asked.name]
    if asked.absent or not values:
        return asked.absent and not values
    return asked.text is None or any(asked.text.matches(one.strip('"')) for value in values for one in value.split(","))


def _plain(value: str) -> str:
    return re.sub(r"\\(.)", lambda match: "\n" if match[1] in "nN" else match[1], value) if "\\" in value else value


def _is_day(prop: AskedProperty | None) -> bool:
    return prop is not None and len(prop.value.strip()) == 8


def _as_event(text: str) -> str | None:
    """A task as an event with the same times and rules; None where it has none to begin with. An event stays as it is."""
    if "VTODO" not in text:
        return text
    changed = re.sub(r"(?m)^(BEGIN|END):VTODO", r"\1:VEVENT", re.sub("\r?\n[ \t]", "", text))
    begins = re.search(r"(?m)^DTSTART[;:]", changed) is not None
    if not begins and not re.search(r"(?m)^DUE[;:]", changed):
        return None
    return re.sub(r"(?m)^DUE(?=[;:])", "DTEND" if begins else "DTSTART", changed)
