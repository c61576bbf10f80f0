"""Availability: the hours of a week in which somebody works, as a VAVAILABILITY (RFC 7953), which telephones show and change.

What begins or ends on a day of its own (a week of other hours) is left out: there is one week, and absences say the rest.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo

from webmail.mime.formats.calendars.component_tree import BrokenTextError, Component, TextLine, component, made, parsed
from webmail.mime.formats.zones import calendar_zones

PLACES = ("", "telework", "elsewhere")  # of a day: "" is the office
MOST_SPANS = 4  # of a day
LARGEST = 100_000  # bytes
DAY = 24 * 60
_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_RULES = ("FREQ", "BYDAY", "WKST", "INTERVAL")
_MOMENT = re.compile(r"(\d{8})T(\d\d)(\d\d)\d\d(Z?)")
_LENGTH = re.compile(r"P(?:T(?:(\d{1,2})H)?(?:(\d{1,4})M)?(?:\d+S)?|1D)")
_ANY_MONDAY = datetime(2024, 1, 1)  # where a week begins that goes on for ever
_MOST = 100  # AVAILABLE parts that are read

Span = tuple[int, int]  # minutes of a day, by the clock


class UnusableAvailabilityError(ValueError):
    """Not a week of hours."""


@dataclass(frozen=True, slots=True)
class WorkDay:
    """When and where somebody works on a weekday: not at all where there are no spans."""

    spans: tuple[Span, ...] = ()
    place: str = ""


@dataclass(frozen=True, slots=True)
class Availability:
    """The days of a week, Monday first, by the clock of a zone; "" for one that isn't said."""

    days: tuple[WorkDay, ...]
    zone: str = ""


@dataclass(slots=True)
class _Gathered:
    spans: list[list[Span]] = field(default_factory=lambda: [[] for _day in _DAYS])
    places: list[str] = field(default_factory=lambda: ["" for _day in _DAYS])
    zones: list[str] = field(default_factory=list)


def written(found: Availability, uid: str, stamp: datetime) -> str:
    """A week as one object: days with the same hours and place are one rule."""
    parts: dict[tuple[Span, str], list[int]] = {}
    for at, day in enumerate(found.days):
        for span in day.spans:
            parts.setdefault((span, day.place), []).append(at)
    head = [made("UID", uid), made("DTSTAMP", f"{stamp:%Y%m%dT%H%M%SZ}")]
    available = [_part(f"{uid}-{number}", head[1], *key, days, found.zone) for number, (key, days) in enumerate(parts.items(), 1)]
    zone = [calendar_zones.written(found.zone, _ANY_MONDAY.date())] if found.zone and found.zone != "UTC" else []
    lines = [made("VERSION", "2.0"), made("PRODID", "-//Traboule//EN"), made("CALSCALE", "GREGORIAN")]
    return str(component("VCALENDAR", *lines, *zone, component("VAVAILABILITY", *head, *available)))


def _part(uid: str, stamp: TextLine, span: Span, location: str, days: Sequence[int], zone: str) -> Component:
    first = _ANY_MONDAY + timedelta(days=days[0])
    start, end = (first + timedelta(minutes=minutes) for minutes in span)
    rule = f"FREQ=WEEKLY;BYDAY={','.join(_DAYS[day] for day in days)}"
    lines = [made("UID", uid), stamp.copy(), _moment("DTSTART", start, zone), _moment("DTEND", end, zone), made("RRULE", rule)]
    return component("AVAILABLE", *lines, *([made("CATEGORIES", location.upper())] if location else []))


def _moment(name: str, at: datetime, zone: str) -> TextLine:
    if zone == "UTC":
        return made(name, f"{at:%Y%m%dT%H%M%SZ}")
    return made(name, f"{at:%Y%m%dT%H%M%S}", f";TZID={zone}" if zone else "")


def read(text: str) -> Availability:
    """The week that a VAVAILABILITY says. Raises UnusableAvailabilityError."""
    if len(text.encode()) > LARGEST:
        raise UnusableAvailabilityError("too large")
    try:
        root = parsed(text)
    except BrokenTextError as error:
        raise UnusableAvailabilityError(str(error)) from error
    parts = [one for whole in root.parts("VAVAILABILITY") for one in whole.parts("AVAILABLE")]
    if root.name != "VCALENDAR" or not root.parts("VAVAILABILITY") or len(parts) > _MOST:
        raise UnusableAvailabilityError("no hours, or too many")
    found = _Gathered()
    for part in parts:
        _take(part, root, found)
    zones = set(found.zones)
    if len(zones) > 1:
        raise UnusableAvailabilityError("several zones")
    days = tuple(WorkDay(joined(spans), place) for spans, place in zip(found.spans, found.places, strict=True))
    if any(len(day.spans) > MOST_SPANS for day in days):
        raise UnusableAvailabilityError("too many hours in a day")
    return Availability(days, zones.pop() if zones else "")


def _take(part: Component, root: Component, found: _Gathered) -> None:
    rule = dict(pair.partition("=")[::2] for pair in part.value("RRULE").upper().split(";") if pair)
    if not rule or set(rule) - set(_RULES) or rule.get("INTERVAL", "1") != "1" or rule.get("FREQ") not in ("WEEKLY", "DAILY"):
        return  # once, for some time, every other week: no usual hours
    start = part.first("DTSTART")
    at = _MOMENT.fullmatch(start.value.strip()) if start else None
    if start is None or at is None:
        raise UnusableAvailabilityError("no beginning")
    begins = int(at[2]) * 60 + int(at[3])
    days = _days_of(rule, at[1])
    ends = begins + _length(part, begins)
    if not 0 <= begins < DAY or not begins < ends:
        raise UnusableAvailabilityError("no such hours")
    found.zones.append("UTC" if at[4] else _zone_name(start, root))
    words = part.text("CATEGORIES").lower()
    for day in days:
        found.spans[day].append((begins, min(ends, DAY)))
        if ends > DAY:
            found.spans[(day + 1) % 7].append((0, ends - DAY))
        found.places[day] = next((one for one in PLACES[1:] if one in words), found.places[day])


def _days_of(rule: dict[str, str], day: str) -> list[int]:
    named = [one for one in rule.get("BYDAY", "").split(",") if one]
    if set(named) - set(_DAYS):
        raise UnusableAvailabilityError("no weekday")
    if named:
        return [_DAYS.index(one) for one in named]
    if rule["FREQ"] == "DAILY":
        return list(range(7))
    try:
        return [datetime.strptime(day, "%Y%m%d").weekday()]
    except ValueError as error:
        raise UnusableAvailabilityError("no day") from error


def _length(part: Component, begins: int) -> int:
    """How many minutes it lasts: at most a day."""
    if end := _MOMENT.fullmatch(part.value("DTEND")):
        minutes = int(end[2]) * 60 + int(end[3]) - begins
        return minutes if minutes > 0 else minutes + DAY
    if length := _LENGTH.fullmatch(part.value("DURATION")):
        minutes = int(length[1] or 0) * 60 + int(length[2] or 0) if "T" in length[0] else DAY
        return min(minutes, DAY)
    raise UnusableAvailabilityError("no end")


def _zone_name(line: TextLine, root: Component) -> str:
    tzid = line.param("TZID")
    zone: tzinfo | None = calendar_zones.meant(tzid, root) if tzid else None
    if tzid and not calendar_zones.name_of(zone):
        raise UnusableAvailabilityError("an unknown zone")
    return calendar_zones.name_of(zone)


def joined(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Spans in their order, those that touch as one."""
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], end)
        else:
            found.append((start, end))
    return tuple(found)
