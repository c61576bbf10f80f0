"""Zone definitions: a calendar text with one VTIMEZONE alone, by which programs say where times without a zone are meant
(RFC 4791, 5.2.2 and 9.8)."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from webmail.mime.formats import calendar_object, calendar_zones
from webmail.mime.formats.calendar_object import UnusableCalendar
from webmail.mime.formats.calendar_text import BrokenText, parsed

LONGEST = 20_000  # characters
_MOST_CHANGES = 500  # observances, and dates in them: one that lists each change since 1883 has 170
_MOST_RULES = 20  # of observances: each is followed from its beginning, in 1601 where Windows writes it
_YEARS = 1900, 2100
_CHANGES = ("STANDARD", "DAYLIGHT")
_NEEDED = ("DTSTART", "TZOFFSETFROM", "TZOFFSETTO")


class _Bounded(tzinfo):
    """A zone that a text defines itself, asked about these years alone: its rules are followed up to the one asked about."""

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone

    def utcoffset(self, moment: datetime | None) -> timedelta | None:
        return self._zone.utcoffset(_near(moment))

    def dst(self, moment: datetime | None) -> timedelta | None:
        return self._zone.dst(_near(moment))

    def tzname(self, moment: datetime | None) -> str | None:
        return self._zone.tzname(_near(moment))


def _near(moment: datetime | None) -> datetime | None:
    """29 February of no such year is the day before."""
    if moment is None or _YEARS[0] <= moment.year <= _YEARS[1]:
        return moment
    return moment.replace(year=min(max(moment.year, _YEARS[0]), _YEARS[1]), day=min(moment.day, 28))


@lru_cache(maxsize=64)
def read(text: str) -> tzinfo:
    """The zone that a text defines; the machine's own, if it knows one of this name. Raises UnusableCalendar."""
    if len(text) > LONGEST:
        raise UnusableCalendar("too long")
    calendar_object.check_zones(text)
    try:
        root = parsed(text.lstrip())
    except BrokenText as error:
        raise UnusableCalendar(str(error)) from error
    parts = root.parts()
    if root.name != "VCALENDAR" or len(root.end.split()) != 1 or [one.name for one in parts] != ["VTIMEZONE"]:
        raise UnusableCalendar("something else than one time zone")
    [zone], changes = parts, parts[0].parts()
    if not zone.text("TZID") or not changes or {one.name for one in changes} - set(_CHANGES):
        raise UnusableCalendar("a time zone without a name or without offsets")
    if any(one.first(name) is None for one in changes for name in _NEEDED):
        raise UnusableCalendar("a time zone without a beginning or an offset")
    if len(changes) + sum(line.value.count(",") + 1 for one in changes for line in one.lines("RDATE")) > _MOST_CHANGES:
        raise UnusableCalendar("too many changes")
    if sum(one.first("RRULE") is not None for one in changes) > _MOST_RULES:
        raise UnusableCalendar("too many rules")
    if (found := calendar_zones.meant(zone.text("TZID"), root)) is None:
        raise UnusableCalendar("a time zone that can't be read")
    return found if isinstance(found, ZoneInfo) else _Bounded(found)
