"""Calendar objects: what programs store in calendars (RFC 4791, 4.1), checked before a library expands what recurs.

No library bounds what a rule costs: one that repeats each second, or waits for the 30th of February, keeps it busy for minutes.
So lines are read here first, in linear time: the frame, the identifier, the rules, and an estimate of what they cost.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from webmail.mime.formats.recurrence import recurrence_rules

COMPONENTS = ("VEVENT", "VTODO", "VJOURNAL")
MOST_LINES = 20_000  # unfolded
MOST_COMPONENTS = 1_000  # an event with its exceptions
MOST_ZONES = 50
MOST_DATES = 2_000  # of RDATE and EXDATE together
_DEEPEST = 4
_MOST_ALONE = 2_000  # lines of an event that is shown once, and of its time zones
_MOST_OFTEN = 5  # rules by hours, minutes or seconds of one object: how many steps they take is tried out
_LONGEST_UID = 255
_EARLIEST = 1900
_HEAD = re.compile(r"([A-Za-z0-9-]{1,60})((?:;[^:\"]*(?:\"[^\"]*\"[^:\"]*)*)?):", re.DOTALL)
_MOMENT = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)(Z?))?")
_CHANGES = ("STANDARD", "DAYLIGHT")
_LEAP_SECOND = re.compile(r"(\dT\d{4})60(?!\d)")  # RFC 5545, 3.3.12: as the second before it
_KEPT = {  # what expanding needs; all else is left out, since reading it is slow
    "UID", "DTSTART", "DTEND", "DUE", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID", "SUMMARY", "LOCATION", "STATUS",
    "TRANSP", "TZID", "TZOFFSETFROM", "TZOFFSETTO", "SEQUENCE", "CLASS",
}  # fmt: skip
_LONGEST_KEPT = 2_000  # characters of a text in there


class UnusableCalendarError(ValueError):
    """Not one event, task or journal entry, or one that cannot be expanded in a bounded time; the words say why."""


@dataclass(slots=True)
class Line:
    name: str
    params: str
    value: str
    raw: str  # unfolded


@dataclass(slots=True)
class ReadObject:
    """A calendar object, as far as it is read here. `reduced`: the same with only what expanding needs."""

    uid: str
    component: str
    recurring: bool
    reduced: str
    summary: str
    zone: str = ""  # X-WR-TIMEZONE: where times without a zone are meant
    once: bool = False  # it has rules that are not expanded: it is shown as if it took place once


def lines_of(text: str) -> Iterator[Line]:
    """The content lines (RFC 5545, 3.1). Raises UnusableCalendarError."""
    unfolded = re.sub("\r?\n[ \t]", "", text.replace("\r\n", "\n")).replace("\r", "\n")
    if unfolded.count("\n") > MOST_LINES:
        raise UnusableCalendarError("too many lines")
    for raw in unfolded.split("\n"):
        if not raw.strip():
            continue
        match = _HEAD.match(raw[:4_000])
        if match is None:
            raise UnusableCalendarError("a line without a name")
        yield Line(match[1].upper(), match[2], raw[match.end() :], raw)


def read(text: str) -> ReadObject:
    """Check an object and what its rules would cost. Linear in the size of `text`. Raises UnusableCalendarError."""
    if "\0" in text:
        raise UnusableCalendarError("it contains NUL")
    reader = _Reader()
    for line in lines_of(text):
        reader.take(line)
    return reader.result()


def read_once(text: str) -> ReadObject:
    """The same for an object that is refused for its rules, or for how much there is in it: its event as if it had no rule,
    changes or alarms. Raises UnusableCalendarError."""
    if "\0" in text:
        raise UnusableCalendarError("it contains NUL")
    reader = _Reader()
    for line in lines_of(event_alone(text)):
        if line.name not in ("RRULE", "EXRULE", "RDATE", "EXDATE"):
            reader.take(line)
    found = reader.result()
    found.once = True
    return found


def check_zones(text: str) -> None:
    """Check a text with time zones alone as those of an object are. Raises UnusableCalendarError."""
    if "\0" in text:
        raise UnusableCalendarError("it contains NUL")
    reader = _Reader()
    for line in lines_of(text):
        reader.take(line)
    if reader.stack or reader.kinds:
        raise UnusableCalendarError("components in disorder")
    reader.check_rules()


def event_alone(text: str) -> str:
    """The time zones, and the own lines of the first event that is none of the changed ones of a series, without dates."""
    zones: list[str] = []
    own: list[str] = []
    depth, inside, taken, changed = 0, "", False, False
    for line in re.sub("\r?\n[ \t]", "", text).splitlines():
        head = line[:40].strip().upper()
        if head.startswith("BEGIN:"):
            depth += 1
            if depth == 2:
                inside = head[6:]
                if taken := inside in COMPONENTS and (not own or changed):
                    own, changed = [], False
        if depth == 2 and taken:
            if not head.startswith(("EXDATE", "RDATE")):
                own.append(line)
            changed = changed or head.startswith("RECURRENCE-ID")
        elif depth >= 2 and inside == "VTIMEZONE":
            zones.append(line)
        depth -= head.startswith("END:")
    zones = zones if len(zones) <= _MOST_ALONE else []
    own = own if len(own) <= _MOST_ALONE else [*own[:_MOST_ALONE], own[-1]]
    return "\r\n".join(["BEGIN:VCALENDAR", *zones, *own, "END:VCALENDAR", ""])


class _Reader:
    """Takes the lines of an object in turn."""

    def __init__(self) -> None:
        self.stack: list[str] = []  # the components that a line is in
        self.kinds: list[str] = []
        self.uids: set[str] = set()
        self.kept: list[str] = []
        self.rules: list[tuple[str, str, str]] = []  # a component, its rule, its DTSTART
        self.dates = self.zones = 0
        self.recurring = False
        self.rule = self.start = self.due = self.summary = self.zone = ""
        self.outer: list[tuple[str, str, str]] = []  # rule, DTSTART and DUE of the components around

    def take(self, line: Line) -> None:
        if line.name == "BEGIN":
            self._begin(line.value.strip().upper())
        elif not self.stack:
            raise UnusableCalendarError("a line outside of it")
        if line.name == "END":
            self._end(line.value.strip().upper())
        elif line.name != "BEGIN" and self.stack[-1] != "VALARM":
            self._property(line)
        self._keep(line)

    def _begin(self, name: str) -> None:
        if len(self.stack) >= _DEEPEST or bool(self.stack) == (name == "VCALENDAR") or (not self.stack and self.kinds):
            raise UnusableCalendarError("components in disorder")
        self.stack.append(name)
        if len(self.stack) == 2 and name in COMPONENTS:
            self.kinds.append(name)
        self.zones += self.stack[1:2] == ["VTIMEZONE"]
        if len(self.kinds) > MOST_COMPONENTS or self.zones > MOST_ZONES * 5:
            raise UnusableCalendarError("too many components")
        self.outer.append((self.rule, self.start, self.due))
        self.rule = self.start = self.due = ""

    def _end(self, name: str) -> None:
        if self.stack.pop() != name:
            raise UnusableCalendarError("components in disorder")
        if self.rule:
            self.rules.append((name, self.rule, self.start or self.due))  # a task may have an end alone
        self.rule, self.start, self.due = self.outer.pop()

    def _property(self, line: Line) -> None:
        of_zone = self.stack[1:2] == ["VTIMEZONE"]
        if line.name == "RRULE":
            if self.rule:
                raise UnusableCalendarError("two rules in one component")
            self.rule, self.recurring = line.value.strip().upper(), self.recurring or not of_zone
        elif line.name == "EXRULE":
            raise UnusableCalendarError("EXRULE, which RFC 5545 no longer knows")
        elif line.name in ("RDATE", "EXDATE"):
            self.dates += line.value.count(",") + 1
            self.recurring = self.recurring or (line.name == "RDATE" and not of_zone)
            if self.dates > MOST_DATES:
                raise UnusableCalendarError("too many dates")
        elif line.name == "DTSTART":
            self.start = line.value.strip()
            _check_start(self.start, of_zone)
        elif line.name == "DUE" and self.stack[-1] == "VTODO":
            self.due = line.value.strip()
            _check_start(self.due, False)
        elif line.name == "X-WR-TIMEZONE" and len(self.stack) == 1:
            self.zone = line.value.strip()[:_LONGEST_UID]
        elif line.name == "UID" and len(self.stack) == 2 and self.stack[1] in COMPONENTS:
            self.uids.add(line.value.strip())
        elif line.name == "SUMMARY" and len(self.stack) == 2 and not self.summary:
            self.summary = plain(line.value)

    def _keep(self, line: Line) -> None:
        if "VALARM" in self.stack or line.value.strip().upper() == "VALARM":
            return
        if line.name in ("BEGIN", "END"):
            self.kept.append(line.raw.strip())
        elif len(self.stack) > 1 and line.name in _KEPT:
            text = line.name in ("SUMMARY", "LOCATION")
            self.kept.append(line.raw[:_LONGEST_KEPT].rstrip("\\") if text else _LEAP_SECOND.sub(r"\g<1>59", line.raw))

    def result(self) -> ReadObject:
        if self.stack or not self.kinds:
            raise UnusableCalendarError("no event, task or journal entry in it, or not its end")
        if len(set(self.kinds)) > 1 or len(self.uids) != 1:
            raise UnusableCalendarError("not one event, task or journal entry alone")
        uid = next(iter(self.uids))
        if not uid or len(uid) > _LONGEST_UID:
            raise UnusableCalendarError("no usable UID")
        self.check_rules()
        return ReadObject(uid, self.kinds[0], self.recurring, "\r\n".join(self.kept) + "\r\n", self.summary, self.zone)

    def check_rules(self) -> None:
        if sum("FREQ=" + often in rule for _name, rule, _start in self.rules for often in recurrence_rules.OFTEN) > _MOST_OFTEN:
            raise UnusableCalendarError("too many rules by hours")
        if sum(component in _CHANGES for component, _rule, _start in self.rules) > MOST_ZONES * 2:
            raise UnusableCalendarError("too many rules of time zones")
        for component, rule, start in self.rules:
            _check_rule(component, rule, start)


def plain(value: str) -> str:
    """A text value without its escapes (RFC 5545, 3.3.11)."""
    return re.sub(r"\\(.)", lambda match: "\n" if match[1] in "nN" else match[1], value[:_LONGEST_KEPT]).strip()


def _check_start(value: str, of_zone: bool) -> None:
    match = _MOMENT.match(value)
    if match is None or (int(match[1]) < _EARLIEST and not of_zone):
        raise UnusableCalendarError("DTSTART or DUE is no date since 1900")


def _check_rule(component: str, rule: str, start: str) -> None:
    try:
        if component in _CHANGES:
            recurrence_rules.check_zone(rule)
        else:
            recurrence_rules.check(rule, start)
    except recurrence_rules.UnboundedRuleError as error:
        raise UnusableCalendarError(str(error)) from error
