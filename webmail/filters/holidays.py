"""School holidays: the days between which somebody is away, by zone: France's, and those that the establishment lists.

Dates as the ministry publishes them: from the Saturday after the last lesson to the morning on which lessons begin again, which
is not a day of holidays any more. Zones: https://www.education.gouv.fr/calendrier-scolaire-100148. A new year is added here each
autumn; until then `[[holidays]]` in config.toml tells it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from webmail.config_tables import ListedHolidays

ZONES = ("A", "B", "C")
_SOON = timedelta(days=250)  # nobody plans for later ones, whose days would be mistaken for those of this year

# begin, lessons again
_EVERYWHERE = {
    "autumn": (("2026-10-17", "2026-11-02"), ("2027-10-23", "2027-11-08")),
    "christmas": (("2026-12-19", "2027-01-04"), ("2027-12-18", "2028-01-03")),
}
_BY_ZONE = {
    "A": {
        "winter": (("2027-02-13", "2027-03-01"), ("2028-02-19", "2028-03-06")),
        "spring": (("2027-04-10", "2027-04-26"), ("2028-04-22", "2028-05-09")),
    },
    "B": {
        "winter": (("2027-02-20", "2027-03-08"), ("2028-02-05", "2028-02-21")),
        "spring": (("2027-04-17", "2027-05-03"), ("2028-04-08", "2028-04-24")),
    },
    "C": {
        "winter": (("2027-02-06", "2027-02-22"), ("2028-02-12", "2028-02-28")),
        "spring": (("2027-04-03", "2027-04-19"), ("2028-04-15", "2028-05-02")),
    },
}
# the summer ends with the year that is not published yet: no day to offer


@dataclass(frozen=True, slots=True)
class SchoolHolidays:
    """`name`: a word that pages translate (`autumn` ...), or the establishment's own. `end` is the first day after them."""

    name: str
    begin: date
    end: date


def zones(listed: Iterable[ListedHolidays]) -> tuple[str, ...]:
    """The zones there are: France's, then the establishment's own."""
    return tuple(dict.fromkeys([*ZONES, *(one.zone for one in listed if one.zone)]))


def coming(zone: str, today: date, listed: Iterable[ListedHolidays], most: int = 3) -> list[SchoolHolidays]:
    """The holidays of a zone that are not over and begin within some eight months, soonest first; of no zone ("") those that
    are the same in all of France.

    What the establishment lists for a zone, or for all (no zone), comes with them, and instead of ours where days meet.
    """
    own = [
        SchoolHolidays(one.name, date.fromisoformat(one.first_day), date.fromisoformat(one.last_day) + timedelta(days=1))
        for one in listed
        if one.zone in ("", zone)
    ]
    ours = [one for one in _shipped(zone) if not any(one.begin < each.end and each.begin < one.end for each in own)]
    found = [one for one in [*own, *ours] if one.end > today and one.begin < today + _SOON]
    return sorted(found, key=lambda one: (one.begin, one.end))[:most]


def _shipped(zone: str) -> list[SchoolHolidays]:
    if zone and zone not in ZONES:
        return []
    return [
        SchoolHolidays(name, date.fromisoformat(begin), date.fromisoformat(end))
        for table in (_EVERYWHERE, _BY_ZONE.get(zone, {}))
        for name, years in table.items()
        for begin, end in years
    ]
