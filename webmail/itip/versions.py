"""Versions of an event, and which times of a series its components are about. RFC 5546, 2.1.4 and 2.1.5."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from webmail.mime.formats.calendars import event_edit
from webmail.mime.formats.calendars.component_tree import Component, made
from webmail.mime.formats.recurrence import recurrence_edit
from webmail.mime.formats.recurrence.series import Clock, Series

Version = tuple[int, str]
_MOST = 10**9
_LONGEST_SERIES = timedelta(days=366 * 40)  # from its beginning to the time that is looked for


def sequence(*events: Component) -> int:
    """The greatest SEQUENCE."""
    numbers = [int(value) for one in events if (value := one.value("SEQUENCE")).isascii() and value.isdigit() and len(value) < 10]
    return max(numbers, default=0)


def version(*events: Component) -> Version:
    """Which one is later: by SEQUENCE, then by DTSTAMP."""
    return sequence(*events), max((one.value("DTSTAMP") for one in events), default="")


def set_sequence(event: Component, number: int) -> None:
    event.put(made("SEQUENCE", str(min(number, _MOST))))


def stamp(event: Component, moment: datetime) -> None:
    event.put(made("DTSTAMP", f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"))


def clock_of(event: Component, owner: Series, there: Series) -> Clock | None:
    """By the clock of the series `there`: which time a component of another text is about (its RECURRENCE-ID)."""
    found = event_edit.stamp_of(event.first("RECURRENCE-ID"), owner.root)
    return there.clock(found) if found else None


Times = tuple[object, ...]


def times(event: Component, root: Component) -> Times:
    """When an event takes place, for comparison: an answer is good for these times alone."""
    found = event_edit.read(event, root)
    start = event_edit.stamp_of(event.first("DTSTART"), root)
    recurs = bool(event.lines("RRULE", "RDATE"))
    rule = tuple(sorted(recurrence_edit.parts_of(found.rule).items()))
    dates = sorted(str(one.instant()) for line in event.lines("RDATE") for one in event_edit.stamps_of(line, root))
    begins = start.instant() if start else None
    return begins, found.length, found.zone if recurs else "", rule, tuple(dates)


def ends(event: Component, root: Component) -> datetime:
    """When an event without a rule is over at the latest. Raises ValueError."""
    found = event_edit.read(event, root)
    start = event_edit.stamp_of(event.first("DTSTART"), root)
    end: date | datetime = found.end
    if not isinstance(end, datetime):
        return datetime(end.year, end.month, end.day, tzinfo=UTC) + timedelta(days=2)
    tz = start.tz if start else None
    return end.replace(tzinfo=tz or UTC).astimezone(UTC) + (timedelta(0) if tz else timedelta(hours=14))


def add_zones(root: Component, owner: Component) -> None:
    """Add the definitions of time zones that another text has, and this one does not."""
    existing = {zone.text("TZID") for zone in root.parts("VTIMEZONE")}
    for zone in owner.parts("VTIMEZONE"):
        if zone.text("TZID") not in existing:
            at = next((at for at, item in enumerate(root.items) if isinstance(item, Component)), len(root.items))
            root.items.insert(at, zone)
