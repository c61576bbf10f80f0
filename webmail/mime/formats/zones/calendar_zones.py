"""Time zones of calendar texts: what a TZID means, and the VTIMEZONE (RFC 5545, 3.6.5) of a zone that this machine knows."""

from __future__ import annotations

import warnings
from calendar import monthrange
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from webmail.mime.formats.calendars import calendar_parsing
from webmail.mime.formats.calendars.component_tree import Component, component, made, parsed
from webmail.mime.formats.zones import zone_cities

_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_YEARS = 6  # for so long a zone must change by the same rule
_SECOND = timedelta(seconds=1)


def meant(tzid: str, root: Component) -> tzinfo | None:
    """The zone that a TZID of this calendar means: one that the machine knows, also by Windows' names; else the calendar's own
    definition. None: then times are meant wherever one is.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about names such as /example.org/Europe/Paris, which are guessed
        try:
            if (known := calendar_parsing.known_zone(tzid)) is not None:
                return known
            own = next((one for one in root.parts("VTIMEZONE") if one.text("TZID") == tzid), None)
            zone = calendar_parsing.defined_zone(str(own)) if own else None
            return zone or (ZoneInfo(shown) if (shown := zone_cities.zone_shown_as(tzid)) else None)
        except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, OSError):
            return None


def name_of(zone: tzinfo | None) -> str:
    """The name by which people know a zone: "Europe/Paris"; "" of one that a calendar defines itself."""
    if zone is UTC:
        return "UTC"
    return zone.key if isinstance(zone, ZoneInfo) else ""


def written(name: str, since: date) -> Component:
    """The definition of a zone that the machine knows by this name, true from the year before `since`."""
    return parsed(_written(name, min(max(since.year, 1971), 2300) - 1))


@lru_cache(maxsize=64)
def _written(name: str, year: int) -> str:
    zone = ZoneInfo(name)
    changes = _changes(name, year)
    if not changes:
        offset = _offset(zone, datetime(year, 1, 1, tzinfo=UTC))
        return str(component("VTIMEZONE", made("TZID", name), _observance("STANDARD", datetime(year, 1, 1), offset, offset)))
    parts = []
    for change in changes:
        before, after, at = _offset(zone, change - _SECOND), _offset(zone, change), _clock(zone, change)
        rule = _rule(name, at)
        if not rule:
            return _listed(name, year)
        parts.append(_observance("DAYLIGHT" if after > before else "STANDARD", at, before, after, rule))
    return str(component("VTIMEZONE", made("TZID", name), *parts))


def _observance(name: str, at: datetime, before: timedelta, after: timedelta, rule: str = "") -> Component:
    lines = [made("DTSTART", f"{at:%Y%m%dT%H%M%S}"), made("TZOFFSETFROM", _sign(before)), made("TZOFFSETTO", _sign(after))]
    return component(name, *lines, *([made("RRULE", rule)] if rule else []))


def _sign(offset: timedelta) -> str:
    minutes, seconds = divmod(int(abs(offset).total_seconds()), 60)
    text = f"{'-' if offset < timedelta(0) else '+'}{minutes // 60:02}{minutes % 60:02}"
    return f"{text}{seconds:02}" if seconds else text


@lru_cache(maxsize=512)
def _changes(name: str, year: int) -> tuple[datetime, ...]:
    """When the offset changes in a year (UTC), to the second."""
    zone, found, day = ZoneInfo(name), [], datetime(year, 1, 1, tzinfo=UTC)
    while day.year == year:
        after = day + timedelta(days=1)
        if _offset(zone, day) != _offset(zone, after):
            low, high = day, after
            while high - low > _SECOND:
                middle = (low + (high - low) / 2).replace(microsecond=0)
                low, high = (low, middle) if _offset(zone, middle) != _offset(zone, day) else (middle, high)
            found.append(high)
        day = after
    return tuple(found)


def _offset(zone: ZoneInfo, at: datetime) -> timedelta:
    return at.astimezone(zone).utcoffset() or timedelta(0)


def _clock(zone: ZoneInfo, change: datetime) -> datetime:
    """When a change comes, by the clock as it goes until then."""
    return (change + _offset(zone, change - _SECOND)).replace(tzinfo=None)


def _rule(name: str, at: datetime) -> str:
    """The yearly rule of a change; "" if the following years know none."""
    zone = ZoneInfo(name)
    years = [(year, [_clock(zone, one) for one in _changes(name, year)]) for year in range(at.year, at.year + _YEARS)]
    for place in (-1, (at.day - 1) // 7 + 1):
        if all(_nth(at, year, place) in clocks for year, clocks in years):
            return f"FREQ=YEARLY;BYMONTH={at.month};BYDAY={place}{_DAYS[at.weekday()]}"
    return ""


def _nth(like: datetime, year: int, position: int) -> datetime:
    """The `position`th such weekday (-1: the last) of that month in another year."""
    first = like.replace(year=year, day=1)
    days = list(range(1 + (like.weekday() - first.weekday()) % 7, monthrange(year, like.month)[1] + 1, 7))
    return like.replace(year=year, day=days[min(position, len(days)) - 1] if position > 0 else days[-1])


def _listed(name: str, year: int) -> str:
    """The definition of a zone that changes by no rule, each change listed."""
    from icalendar import Timezone

    return Timezone.from_tzid(name, first_date=date(year, 1, 1)).to_ical().decode()
