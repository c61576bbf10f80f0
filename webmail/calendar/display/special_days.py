"""Special days: public holidays and school holidays, as `days.toml` beside this module has them, and a file of the establishment.

Names are words that pages translate (`autumn`, `new-year` ...), or the establishment's own.
"""

from __future__ import annotations

import logging
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from webmail.config.tables import ListedHolidays

log = logging.getLogger(__name__)

SHIPPED = Path(__file__).with_name("days.toml")
OWN = "holidays.toml"  # in the instance folder
ZONES = ("A", "B", "C")  # France's
EVERYWHERE = "all"  # school holidays that are the same in all zones
_MOST_BYTES = 500_000
_LONGEST_NAME = 60
PUBLIC = ("", "france", "alsace-moselle")
_WITH = {"alsace-moselle": ("france", "alsace-moselle")}


@dataclass(frozen=True, slots=True)
class SchoolHolidays:
    """`end` is the first day after them."""

    name: str
    begin: date
    end: date


@dataclass(frozen=True, slots=True)
class SpecialDays:
    """What a file says: public holidays by country or region and day ("12-25" or "2026-04-06"), school holidays by zone."""

    public: dict[str, dict[str, str]] = field(default_factory=dict)
    school: dict[str, tuple[SchoolHolidays, ...]] = field(default_factory=dict)


def public_holidays(where: str, days: Iterable[date], instance: str = "") -> dict[date, str]:
    """The name of each of these days that is a public holiday there."""
    if not where:
        return {}
    tables = [known.public.get(name, {}) for known in _files(instance) for name in _WITH.get(where, (where,))]
    found: dict[date, str] = {}
    for day in days:
        full = day.isoformat()
        name = next((table[key] for table in tables for key in (full, full[5:]) if key in table), None)
        if name:
            found[day] = name
    return found


def school_holidays(zone: str, listed: Iterable[ListedHolidays] = (), instance: str = "") -> list[SchoolHolidays]:
    """Those of a zone, with those of all France if it is one of its zones; of no zone ("") only those.

    What the establishment lists for a zone, or for all (no zone), comes with them, and instead of ours where days meet.
    """
    names = [EVERYWHERE, zone] if zone in ZONES else [zone or EVERYWHERE]
    told, shipped = [[one for name in names for one in known.school.get(name, ())] for known in _files(instance)]
    own = [
        SchoolHolidays(one.name, date.fromisoformat(one.first_day), date.fromisoformat(one.last_day) + timedelta(days=1))
        for one in listed
        if one.zone in ("", zone)
    ]
    return _in_place_of(own, _in_place_of(told, shipped))


def _in_place_of(first: list[SchoolHolidays], others: list[SchoolHolidays]) -> list[SchoolHolidays]:
    return [*first, *(one for one in others if not any(one.begin < each.end and each.begin < one.end for each in first))]


def days_off(periods: Iterable[SchoolHolidays], first: date, last: date) -> dict[date, str]:
    """The days between these (both included) that are in holidays, with their name."""
    found: dict[date, str] = {}
    for one in periods:
        day = max(one.begin, first)
        while day < one.end and day <= last:
            found.setdefault(day, one.name)
            day += timedelta(days=1)
    return found


def _files(instance: str) -> tuple[SpecialDays, SpecialDays]:
    """The establishment's, and ours."""
    return _own(instance), _read(SHIPPED, 0)


def _own(instance: str) -> SpecialDays:
    if not instance:
        return SpecialDays()
    file = Path(instance, OWN)
    try:
        changed = file.stat().st_mtime_ns
    except OSError:
        return SpecialDays()
    return _read(file, changed)


@lru_cache(maxsize=8)
def _read(file: Path, _changed: int) -> SpecialDays:
    """What a file says. One that can't be read is only logged: the calendar always opens."""
    try:
        content = file.read_bytes()
        if len(content) > _MOST_BYTES:
            raise ValueError("too large")
        return _parse(tomllib.loads(content.decode()))
    except (OSError, ValueError, TypeError, AttributeError) as error:
        log.warning("%s can't be read: %s", file, error)
        return SpecialDays()


def _parse(table: Mapping[str, Any]) -> SpecialDays:
    public = {
        where: {_day_key(day): name[:_LONGEST_NAME] for name, days in names.items() for day in days}
        for where, names in table.get("public", {}).items()
    }
    school = {
        zone: tuple(_holidays(name, begin, end) for name, periods in names.items() for begin, end in periods)
        for zone, names in table.get("school", {}).items()
    }
    return SpecialDays(public, school)


def _day_key(day: str) -> str:
    """The day itself, once it is sure that it is one. Raises ValueError."""
    date.fromisoformat(day if len(day) == 10 else f"2024-{day}")
    return day


def _holidays(name: str, begin: str, end: str) -> SchoolHolidays:
    found = SchoolHolidays(name[:_LONGEST_NAME], date.fromisoformat(begin), date.fromisoformat(end))
    if not found.begin < found.end <= found.begin + timedelta(days=366):
        raise ValueError(f"{name}: {begin} to {end}")
    return found
