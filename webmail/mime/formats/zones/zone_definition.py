"""Zone definitions: a calendar text with one VTIMEZONE alone, by which programs say where times without a zone are meant
(RFC 4791, 5.2.2 and 9.8)."""

from __future__ import annotations

from datetime import tzinfo
from functools import lru_cache

from webmail.mime.formats.calendars import calendar_object
from webmail.mime.formats.calendars.calendar_object import UnusableCalendarError
from webmail.mime.formats.calendars.component_tree import BrokenTextError, component, parsed
from webmail.mime.formats.zones import calendar_zones, zone_transitions

LONGEST = 20_000  # characters
_MOST_CHANGES = 500  # observances, and dates in them: one that lists each change since 1883 has 170
_CHANGES = ("STANDARD", "DAYLIGHT")
_NEEDED = ("DTSTART", "TZOFFSETFROM", "TZOFFSETTO")


@lru_cache(maxsize=32)
def read(text: str) -> tzinfo:
    """The zone that a text defines; the machine's own, if it knows one of this name. Raises UnusableCalendarError."""
    if len(text) > LONGEST:
        raise UnusableCalendarError("too long")
    calendar_object.check_zones(text)
    try:
        root = parsed(text.lstrip())
    except BrokenTextError as error:
        raise UnusableCalendarError(str(error)) from error
    parts = root.parts()
    if root.name != "VCALENDAR" or len(root.end.split()) != 1 or [one.name for one in parts] != ["VTIMEZONE"]:
        raise UnusableCalendarError("something else than one time zone")
    [zone], changes = parts, parts[0].parts()
    if not zone.text("TZID") or not changes or {one.name for one in changes} - set(_CHANGES):
        raise UnusableCalendarError("a time zone without a name or without offsets")
    if any(one.first(name) is None for one in changes for name in _NEEDED):
        raise UnusableCalendarError("a time zone without a beginning or an offset")
    if len(changes) + sum(line.value.count(",") + 1 for one in changes for line in one.lines("RDATE")) > _MOST_CHANGES:
        raise UnusableCalendarError("too many changes")
    name = zone.text("TZID")
    try:
        return calendar_zones.meant(name, component("VCALENDAR")) or zone_transitions.zone_from_definition(str(zone))
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError) as error:
        raise UnusableCalendarError("a time zone that can't be read") from error
