"""Zone transitions of zones that a text defines itself (VTIMEZONE; RFC 5545, 3.6.5), by the changes of their clocks until 2100.

The library follows each rule of such a zone anew for each time: a series that goes on for centuries, in a zone with a dozen
rules, took minutes. Written out once, each time costs a look.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from datetime import datetime, timedelta, tzinfo
from functools import lru_cache
from itertools import islice, takewhile

from webmail.mime.formats.calendars.component_tree import Component, parsed

MOST_RULES = 20  # of observances, in all: two are usual
_MOST_STEPS = 5_000  # some 0.6 MB, of which a process keeps a few
_FIRST_YEAR, _LAST_YEAR = 1888, 2100  # the first is a leap year
_HOUR = timedelta(hours=1)


class TooManyChangesError(ValueError):
    """Clocks that change so often are no zone of anybody."""


class DefinedZone(tzinfo):
    """After 2100 nothing changes any more. Raises TooManyChangesError, and ValueError for what can't be read."""

    def __init__(self, zone: Component) -> None:
        if sum(one.first("RRULE") is not None for one in zone.parts()) > MOST_RULES:
            raise TooManyChangesError("too many rules")
        found = sorted(islice(_changes(zone), _MOST_STEPS + 1))
        if not found or len(found) > _MOST_STEPS:
            raise TooManyChangesError(f"{len(found)} changes")
        self.zone = zone.text("TZID")  # by which the library writes it
        self._clocks = [at for at, _before, _after, _name in found]
        self._moments = [at - before for at, before, _after, _name in found]
        self._offsets = [found[0][1], *(after for _at, _before, after, _name in found)]
        self._summer = [False, *(name == "DAYLIGHT" for _at, _before, _after, name in found)]

    def __deepcopy__(self, _memo: object) -> DefinedZone:
        return self  # it never changes

    def utcoffset(self, moment: datetime | None) -> timedelta | None:
        return self._offsets[self._index(moment)] if moment is not None else None

    def dst(self, moment: datetime | None) -> timedelta | None:
        return _HOUR if moment is not None and self._summer[self._index(moment)] else timedelta(0)

    def tzname(self, moment: datetime | None) -> str | None:
        return None

    def fromutc(self, moment: datetime) -> datetime:
        at = moment.replace(tzinfo=None)
        index = bisect_right(self._moments, at)
        clock = at + self._offsets[index]
        again = index > 0 and clock < self._clocks[index - 1]  # clocks showed this before they were put back
        return clock.replace(tzinfo=self, fold=int(again))

    def _index(self, moment: datetime) -> int:
        at = moment.replace(tzinfo=None, fold=0)
        index = bisect_right(self._clocks, at)
        if moment.fold and index < len(self._clocks):
            back = self._offsets[index] - self._offsets[index + 1]
            if back > timedelta(0) and at >= self._clocks[index] - back:
                index += 1
        return index


@lru_cache(maxsize=32)
def zone_from_definition(text: str) -> DefinedZone:
    """The zone of a VTIMEZONE. Raises ValueError, or what broken texts raise."""
    return DefinedZone(parsed(text))


def _changes(zone: Component) -> Iterator[tuple[datetime, timedelta, timedelta, str]]:
    """When clocks change, as they go until then, from which offset to which, and the kind of observance."""
    from dateutil.rrule import rrulestr  # imported when first needed

    for one in zone.parts("STANDARD", "DAYLIGHT"):
        before, after = _offset(one.value("TZOFFSETFROM")), _offset(one.value("TZOFFSETTO"))
        dates = [_clock(one.value("DTSTART"))]
        dates += [_clock(date.partition("/")[0]) for line in one.lines("RDATE") for date in line.value.strip().split(",")]
        for at in dates:
            yield at, before, after, one.name
        if not (rule := one.value("RRULE").upper()):
            continue
        begins = dates[0]
        if "COUNT=" not in rule and begins.year < _FIRST_YEAR:
            begins = begins.replace(year=_FIRST_YEAR)
        last = datetime(_LAST_YEAR, 12, 31)
        if until := re.search("UNTIL=([0-9T]+)(Z?)", rule):
            given = datetime.strptime(until[1][:15].ljust(15, "0") if "T" in until[1] else until[1] + "T235959", "%Y%m%dT%H%M%S")
            last = min(last, given + before if until[2] else given)
        parts = [part for part in rule.split(";") if not part.startswith("UNTIL=")]
        for at in takewhile(lambda at, last=last: at <= last, rrulestr(";".join(parts), dtstart=begins)):  # type: ignore[misc]
            yield at, before, after, one.name


def _clock(text: str) -> datetime:
    written = text.strip().rstrip("Zz")
    return datetime.strptime(written if "T" in written else f"{written}T000000", "%Y%m%dT%H%M%S")


def _offset(text: str) -> timedelta:
    match = re.fullmatch(r"([+-])(\d\d)(\d\d)(\d\d)?", text.strip())
    if match is None or int(match[2]) > 23:
        raise ValueError("a time zone without an offset")
    length = timedelta(hours=int(match[2]), minutes=int(match[3]), seconds=int(match[4] or 0))
    return -length if match[1] == "-" else length
