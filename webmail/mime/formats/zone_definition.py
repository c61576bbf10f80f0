"""Zone definitions: a calendar text with one VTIMEZONE alone, by which programs say where times without a zone are meant
(RFC 4791, 5.2.2 and 9.8)."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from datetime import datetime, timedelta, tzinfo
from functools import lru_cache
from itertools import islice, takewhile

from webmail.mime.formats import calendar_object, calendar_zones
from webmail.mime.formats.calendar_object import UnusableCalendar
from webmail.mime.formats.calendar_text import BrokenText, Component, component, parsed

LONGEST = 20_000  # characters
_MOST_CHANGES = 500  # observances, and dates in them: one that lists each change since 1883 has 170
_MOST_RULES = 20  # of observances, in all
_MOST_STEPS = 20_000
_FIRST_YEAR, _LAST_YEAR = 1888, 2100  # the first is a leap year
_CHANGES = ("STANDARD", "DAYLIGHT")
_NEEDED = ("DTSTART", "TZOFFSETFROM", "TZOFFSETTO")


class _Defined(tzinfo):
    """A zone that a text defines itself, by its changes until 2100: the library's own follows its rules for each time anew."""

    def __init__(self, zone: Component) -> None:
        found = sorted(islice(_changes(zone), _MOST_STEPS + 1))
        if not found or len(found) > _MOST_STEPS:
            raise UnusableCalendar("too many changes")
        self._at = [at for at, _before, _after in found]
        self._offsets = [found[0][1], *(after for _at, _before, after in found)]

    def utcoffset(self, moment: datetime | None) -> timedelta | None:
        return self._offsets[bisect_right(self._at, moment.replace(tzinfo=None))] if moment is not None else None

    def dst(self, moment: datetime | None) -> timedelta | None:
        return timedelta(0)

    def tzname(self, moment: datetime | None) -> str | None:
        return None

    def fromutc(self, moment: datetime) -> datetime:
        nearly = moment + (self.utcoffset(moment) or timedelta(0))
        return moment + (self.utcoffset(nearly) or timedelta(0))


def _changes(zone: Component) -> Iterator[tuple[datetime, timedelta, timedelta]]:
    """When clocks change, as they go until then, from which offset to which."""
    from dateutil.rrule import rrulestr  # imported when first needed

    for one in zone.parts(*_CHANGES):
        before, after = _offset(one.value("TZOFFSETFROM")), _offset(one.value("TZOFFSETTO"))
        dates = [one.value("DTSTART"), *(date for line in one.lines("RDATE") for date in line.value.strip().split(","))]
        for date in dates:
            yield datetime.strptime(date.partition("/")[0].rstrip("Zz"), "%Y%m%dT%H%M%S"), before, after
        if not (rule := one.value("RRULE").upper()):
            continue
        begins = datetime.strptime(dates[0].rstrip("Zz"), "%Y%m%dT%H%M%S")
        if "COUNT=" not in rule and begins.year < _FIRST_YEAR:
            begins = begins.replace(year=_FIRST_YEAR)
        last = datetime(_LAST_YEAR, 12, 31)
        if until := re.search("UNTIL=([0-9T]+)(Z?)", rule):
            given = datetime.strptime(until[1][:15].ljust(15, "0") if "T" in until[1] else until[1] + "T235959", "%Y%m%dT%H%M%S")
            last = min(last, given + before if until[2] else given)
        parts = [part for part in rule.split(";") if not part.startswith("UNTIL=")]
        for at in takewhile(lambda at, last=last: at <= last, rrulestr(";".join(parts), dtstart=begins)):  # type: ignore[misc]
            yield at, before, after


def _offset(text: str) -> timedelta:
    match = re.fullmatch(r"([+-])(\d\d)(\d\d)(\d\d)?", text)
    if match is None or int(match[2]) > 23:
        raise UnusableCalendar("a time zone without an offset")
    length = timedelta(hours=int(match[2]), minutes=int(match[3]), seconds=int(match[4] or 0))
    return -length if match[1] == "-" else length


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
    name = zone.text("TZID")
    try:
        return calendar_zones.meant(name, component("VCALENDAR")) or _Defined(zone)
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError) as error:
        raise UnusableCalendar("a time zone that can't be read") from error
