"""Later messages about an event that is in a calendar already: new versions of all of it or of single ones, and cancellations.

RFC 5546, 3.2.2 and 3.2.5. For checked objects of one UID.
"""

from __future__ import annotations

from dataclasses import replace

from webmail.mime.formats.calendars import event_edit
from webmail.mime.formats.calendars.component_tree import BrokenTextError, Component, made
from webmail.mime.formats.recurrence import series as calendar_series
from webmail.mime.formats.recurrence.series import CannotChangeError, Series, series_of

Version = tuple[int, str]


def updated(there: str, sent: str) -> str:
    """What is to stand in the calendar after a newer version came; "" if what came is no newer, or can't be used."""
    try:
        old, new = series_of(there), series_of(sent)
        if new.master is not None or not old.recurs or old.master is None:
            return sent if version(*new.root.parts("VEVENT")) > version(*old.root.parts("VEVENT")) else ""
        newer = [one for one in new.overrides if _is_newer(one, old)]
        for one in newer:
            _replace(old, one, new)
        return str(old.root) if newer else ""
    except (BrokenTextError, CannotChangeError, ValueError):
        return ""


def cancelled(there: str, sent: str) -> str:
    """The same after a cancellation, of the event or of some that recur: they stay, and are marked."""
    try:
        old, new = series_of(there), series_of(sent)
        if new.master is not None or not old.recurs:
            events = old.root.parts("VEVENT")
            if version(*new.root.parts("VEVENT")) < version(*events) or all(map(_is_cancelled, events)):
                return ""
            for event in events:
                event.put(made("STATUS", "CANCELLED"))
                event_edit.touch(event, timed=True)
            return str(old.root)
        text = there
        for one in new.overrides:
            at, series = one.value("RECURRENCE-ID"), series_of(text)
            before = calendar_series.occurrence_fields(series, at)
            if before.status != "cancelled" and _is_newer(one, series):
                text = calendar_series.change_one(text, at, before, replace(before, status="cancelled"))
        return text if text != there else ""
    except (BrokenTextError, CannotChangeError, ValueError):
        return ""


def version(*events: Component) -> Version:
    """Which one is later (2.1.5): by SEQUENCE, then by DTSTAMP."""
    numbers = [int(value) for one in events if (value := one.value("SEQUENCE")).isascii() and value.isdigit() and len(value) < 10]
    return max(numbers, default=0), max((one.value("DTSTAMP") for one in events), default="")


def _is_cancelled(event: Component) -> bool:
    return event.value("STATUS").upper() == "CANCELLED"


def _is_newer(component: Component, series: Series) -> bool:
    there = series.override(series.named(component.value("RECURRENCE-ID")))
    return there is None or version(component) > version(there)


def _replace(series: Series, component: Component, owner: Series) -> None:
    """Put one that was changed into a series, in place of what was known of it."""
    clock = series.named(component.value("RECURRENCE-ID"))
    calendar_series.drop_overrides(series, lambda other: series.is_at(other, clock))
    known = {zone.text("TZID") for zone in series.root.parts("VTIMEZONE")}
    for zone in owner.root.parts("VTIMEZONE"):
        if zone.text("TZID") not in known:
            at = next(at for at, item in enumerate(series.root.items) if isinstance(item, Component))
            series.root.items.insert(at, zone)
    series.root.add(component)
    series.overrides.append(component)
