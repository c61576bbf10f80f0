"""Versions of an event, and which times of a series its components are about. RFC 5546, 2.1.4 and 2.1.5."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from webmail.mime.formats.calendars import event_edit
from webmail.mime.formats.calendars.component_tree import Component, made
from webmail.mime.formats.recurrence import recurrence_edit, recurrence_rules, series
from webmail.mime.formats.recurrence.series import CannotChangeError, Clock, Series

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


def takes_place(there: Series, clock: Clock) -> bool:
    """Whether a series has this time. Of what another program sent, never the rule is expanded: `there` was checked."""
    if there.override(clock) is not None:
        return True
    if there.master is None or any(there.same(one, clock) for one in there.dates("EXDATE")):
        return False
    start = there.start
    if any(there.same(one, clock) for one in (start.at, *there.dates("RDATE"))):
        return True
    rule, at, begins = there.master.value("RRULE"), series.as_time(clock), series.as_time(start.at)
    if not rule or not timedelta(0) <= at - begins <= _LONGEST_SERIES:
        return False
    try:
        recurrence_rules.check(rule.upper(), there.master.value("DTSTART"))
        found = recurrence_edit.dates(rule, start.at, at + timedelta(days=1), start.tz)
    except (recurrence_rules.UnboundedRuleError, ValueError, TypeError, OverflowError):
        return False
    if isinstance(clock, datetime):
        return any(there.same(one, clock) for one in found[-200:])
    return any(one.date() == clock for one in found[-200:])


def own_component(there: Series, clock: Clock) -> Component:
    """The component of one time of a series, made from the series where it has none. Raises CannotChangeError, ValueError."""
    if (found := there.override(clock)) is not None:
        return found
    if not takes_place(there, clock):
        raise CannotChangeError("nothing")
    return series.new_override(there, clock)


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


def times_at(there: Series, clock: Clock) -> Times:
    """The same of one time of a series. Raises CannotChangeError, ValueError."""
    if (found := there.override(clock)) is not None:
        return times(found, there.root)
    model, at = there.model(clock)
    stamp_at = there.stamp(at)
    return stamp_at.instant(), event_edit.read(model, there.root).length, "", (), ()


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
