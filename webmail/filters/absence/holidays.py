"""School holidays: the days between which somebody is away, by zone: France's, and those that the establishment lists.

Those of France are in `webmail/calendar/display/days.toml`; until a new year is there `[[holidays]]` in config.toml
tells it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from webmail.calendar.display import special_days
from webmail.calendar.display.special_days import SchoolHolidays
from webmail.config.tables import ListedHolidays

ZONES = special_days.ZONES
_SOON = timedelta(days=250)  # nobody plans for later ones, whose days would be mistaken for those of this year


def zones(listed: Iterable[ListedHolidays]) -> tuple[str, ...]:
    """The zones there are: France's, then the establishment's own."""
    return tuple(dict.fromkeys([*ZONES, *(one.zone for one in listed if one.zone)]))


def coming(zone: str, today: date, listed: Iterable[ListedHolidays], most: int = 3) -> list[SchoolHolidays]:
    """The holidays of a zone that are not over and begin within some eight months, soonest first; of no zone ("") those that
    are the same in all of France.

    What the establishment lists for a zone, or for all (no zone), comes with them, and instead of ours where days meet.
    """
    known = special_days.school_holidays(zone, listed)
    found = [one for one in known if one.end > today and one.begin < today + _SOON]
    return sorted(found, key=lambda one: (one.begin, one.end))[:most]
