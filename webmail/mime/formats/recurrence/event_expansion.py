"""Events that recur, written out: each time that they take place as an event of its own (RFC 4791, 9.6.5). Of checked objects."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any

from webmail.mime.formats.calendars import calendar_object, calendar_parsing
from webmail.mime.formats.calendars.calendar_object import UnusableCalendarError
from webmail.mime.formats.recurrence.occurrences import end_rule, library, moment_at, taking
from webmail.mime.formats.zones.asked_times import AskedTime

_FRAME = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Traboule//expanded//EN\r\n{}END:VCALENDAR\r\n"
_RULES = ("RRULE", "RDATE", "EXDATE", "EXRULE")
_MOMENTS = ("DTSTART", "DTEND", "RECURRENCE-ID")
_DAY = timedelta(days=1)


def expanded(text: str, start: int, end: int, zone: tzinfo) -> tuple[str, int]:
    """An object with its times from `start` to `end` (seconds since 1970), in UTC, instead of its rules; and how many there are.

    Tasks stay as they are. What the library can't read whole comes with its times, title and place alone. `zone`: where times
    without a zone are meant, and days. Raises UnusableCalendarError.
    """
    read = calendar_object.read(text)
    if read.component != "VEVENT":
        return text, 1
    try:
        events = _between(text, start, end)
    except UnusableCalendarError:
        events = _between(read.reduced, start, end)
    named = read.recurring or "\r\nRECURRENCE-ID" in read.reduced
    found = [event for event in events if _touches(event, start, end, zone)]
    return _FRAME.format("".join(_written(event, named) for event in found)), len(found)


def _between(text: str, start: int, end: int) -> list[Any]:
    """The events of a text that touch this time, or are near to it, each once. Raises UnusableCalendarError."""
    recurring = library()
    try:
        calendar = calendar_parsing.read_calendar(text)
        for event in calendar.walk("VEVENT"):
            end_rule(event, max(end, 0))
        return list(recurring.of(calendar, skip_bad_series=False).between(moment_at(start) - _DAY, moment_at(end) + _DAY))
    except UnusableCalendarError:
        raise
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError) as error:
        raise UnusableCalendarError(f"it can't be read: {error}"[:200]) from error


def _touches(event: Any, start: int, end: int, zone: tzinfo) -> bool:
    one = taking(event, zone)
    return AskedTime(start, end, zone, zone).touched_by("day" if one.whole_day else "fixed", one.start, one.end)


def _written(event: Any, named: bool) -> str:
    """`named`: it is one of several, and says which."""
    for name in _RULES if named else (*_RULES, "RECURRENCE-ID"):
        event.pop(name, None)
    for name in _MOMENTS:
        if name in event:
            moment = _in_utc(event.pop(name).dt)
            event.add(name, moment)
    written: str = event.to_ical().decode()
    return written


def _in_utc(moment: date | datetime) -> date | datetime:
    """The same in UTC; days and times without a zone stay as they are."""
    return moment.astimezone(UTC) if isinstance(moment, datetime) and moment.tzinfo else moment
