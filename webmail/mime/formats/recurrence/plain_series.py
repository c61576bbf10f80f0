"""Plain series: one event with a rule and exceptions, of which none was changed. Most of what recurs is so.

They are expanded here without the library that knows all of RFC 5545: ten times as quickly, and with lengths to the second on the
nights on which clocks change.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any

from webmail.mime.formats.recurrence import recurrence_edit

_DAY = timedelta(days=1)


def is_plain(events: list[Any]) -> bool:
    """Whether these events (of the library) are such a series."""
    return len(events) == 1 and "RDATE" not in events[0] and "RECURRENCE-ID" not in events[0] and "RRULE" in events[0]


def spans(event: Any, before: datetime, zone: tzinfo) -> Iterator[tuple[int, int, str]]:
    """When it begins and ends (seconds since 1970), with its RECURRENCE-ID, for all that begins before a moment, in its order.

    `zone`: where times without a zone are meant. Raises what the library raises for values that can't be read.
    """
    begins = event["DTSTART"].dt
    whole_day, given = not isinstance(begins, datetime), getattr(begins, "tzinfo", None)
    tz: tzinfo = UTC if whole_day else given or zone
    gone, length, suffix = _Exceptions(event, tz), _Length(event, begins, tz), "Z" if _is_utc(begins) else ""
    limit = before.astimezone(tz).replace(tzinfo=None) + _DAY
    rule = event["RRULE"].to_ical().decode()
    clocks = recurrence_edit.dates(rule, begins if whole_day else _clock(begins), limit, given)
    first = _clock(begins)
    if not clocks or clocks[0] != first:  # the beginning counts, whatever the rule says (3.8.5.3)
        clocks.insert(0, first)
    last = None
    for clock in clocks:
        start = int(clock.replace(tzinfo=tz).timestamp())
        if start == last or gone.has(clock, start):  # an hour that the clock skips is the one after it
            continue
        last = start
        yield start, length.end(clock, start), f"{clock.year:04}{clock:%m%d}" + ("" if whole_day else f"{clock:T%H%M%S}{suffix}")


class _Exceptions:
    """What EXDATE takes out: days, times by the clock, and moments."""

    def __init__(self, event: Any, tz: tzinfo) -> None:
        self.days: set[date] = set()
        self.clocks: set[datetime] = set()
        self.moments: set[int] = set()
        listed = event.get("EXDATE")
        whole_day = not isinstance(event["DTSTART"].dt, datetime)
        for dates in listed if isinstance(listed, list) else [] if listed is None else [listed]:
            for one in getattr(dates, "dts", ()):
                if not isinstance(one.dt, datetime) or whole_day:
                    self.days.add(date(one.dt.year, one.dt.month, one.dt.day))
                elif one.dt.tzinfo is None:
                    self.clocks.add(one.dt)
                else:
                    self.moments.add(int(one.dt.timestamp()))

    def has(self, clock: datetime, start: int) -> bool:
        return start in self.moments or clock in self.clocks or (bool(self.days) and clock.date() in self.days)


class _Length:
    """How long each takes: to an end by the clock (DTEND), or days by the clock and then hours exactly (DURATION, 3.3.6)."""

    def __init__(self, event: Any, begins: date | datetime, tz: tzinfo) -> None:
        self.tz, self.clock, self.exact = tz, timedelta(0), 0
        if "DTEND" in event:
            ends = event["DTEND"].dt
            if isinstance(ends, datetime) and ends.tzinfo is not None and isinstance(begins, datetime):
                ends = ends.astimezone(tz)
            self.clock = _clock(ends) - _clock(begins)
        elif "DURATION" in event:
            self.clock, self.exact = in_parts(event["DURATION"].dt)
        if not isinstance(begins, datetime):
            self.clock = max(self.clock, _DAY)

    def end(self, clock: datetime, start: int) -> int:
        if self.clock <= timedelta(0):
            return start + self.exact
        end = int((clock + self.clock).replace(tzinfo=self.tz).timestamp()) + self.exact
        return end if end > start else start + int(self.clock.total_seconds())  # clocks go forward in it


def in_parts(length: timedelta) -> tuple[timedelta, int]:
    """The days of a DURATION, which are by the clock, and the seconds, which are exact; nothing if it is less than nothing."""
    return (timedelta(days=length.days), length.seconds) if length > timedelta(0) else (timedelta(0), 0)


def _clock(moment: date | datetime) -> datetime:
    return moment.replace(tzinfo=None) if isinstance(moment, datetime) else datetime(moment.year, moment.month, moment.day)


def _is_utc(moment: date | datetime) -> bool:
    return isinstance(moment, datetime) and moment.tzinfo is not None and str(moment.tzinfo) == "UTC"
