"""Free and busy: the answer to a free-busy-query (RFC 4791, 7.10), from the table of occurrences."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

from radicale import xmlutils
from radicale.item import filter as radicale_filter

from webmail.calendar import objects
from webmail.dav.visit import current
from webmail.models import Collection, Occurrence

_TYPES = {1: "BUSY-TENTATIVE", 2: "BUSY"}
_FORMAT = "%Y%m%dT%H%M%SZ"
_OPEN = 2**40


def time_range(element: ET.Element) -> tuple[int, int]:
    """Its start and end, in seconds since 1970. Raises ValueError."""
    start, end = radicale_filter.time_range_timestamps(element)
    return max(start, -_OPEN), min(end, _OPEN)


def count(calendar: Collection, start: int, end: int) -> int:
    """How many occurrences the table has in this time."""
    inside = (Occurrence.start < end) & (Occurrence.end >= start)
    return int(Occurrence.select().where(Occurrence.collection == calendar, inside).count())


def answer(query: ET.Element, calendar: Collection) -> str:
    """A VFREEBUSY. Raises ValueError, and TooMuchAskedError."""
    element = query.find(xmlutils.make_clark("C:time-range"))
    if element is None or not element.get("start") or not element.get("end"):
        raise ValueError("a free-busy-query without its time")
    start, end = time_range(element)
    if end <= start:
        raise ValueError("a time that ends before it begins")
    visit = current.get()
    times = objects.busy_times(calendar.id, start, end, visit.zone, meant=visit.meant, step=visit.budget.step)
    lines = [
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Traboule//free and busy//EN", "BEGIN:VFREEBUSY",
        f"DTSTAMP:{datetime.now(UTC):{_FORMAT}}", f"DTSTART:{text_of(start)}", f"DTEND:{text_of(end)}",
    ]  # fmt: skip
    for kind in (2, 1):
        for begins, ends in joined([(max(a, start), min(b, end)) for a, b, busy in times if busy == kind]):
            lines.append(f"FREEBUSY;FBTYPE={_TYPES[kind]}:{text_of(begins)}/{text_of(ends)}")
    return "\r\n".join([*lines, "END:VFREEBUSY", "END:VCALENDAR", ""])


def joined(times: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Times that touch are one."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(times):
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(end, found[-1][1])
        elif end > start:
            found.append((start, end))
    return found


def text_of(at: int) -> str:
    """A moment in UTC, as calendars write it."""
    return datetime.fromtimestamp(at, UTC).strftime(_FORMAT)
