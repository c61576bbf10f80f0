"""Times of an absence: as a person types and reads them, and the ones offered. Days are whole where no hour is given."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from webmail.config_tables import ListedHolidays
from webmail.filters import holidays
from webmail.schedule import BadTime

_HOUR = re.compile(r"(\d\d?)(?:[:hH.](\d\d)?(?::\d\d(?:\.\d+)?)?)?", re.ASCII)
_TYPED_DAY = re.compile(r"(\d\d?)[/.](\d\d?)[/.](\d{4})", re.ASCII)
_YEARS = (2000, 2200)
_DAY = timedelta(days=1)


def moment(day: str, hour: str, zone: tzinfo, *, ends: bool) -> datetime | None:
    """What was typed as a moment in UTC, None for nothing. Raises BadTime.

    `day` is 2026-12-24 or 24/12/2026, and may hold the hour too, as ISO 8601 has it, even with a zone of its own. Without an hour
    it is the day's first moment, or the one after its last (`ends`).
    """
    day, hour = day.strip(), hour.strip()
    if not day and not hour:
        return None
    try:
        local = _local(day, hour, zone, ends=ends)
        if not _YEARS[0] <= local.year < _YEARS[1]:
            raise ValueError("not in these centuries")
        return local.astimezone(UTC).replace(second=0, microsecond=0)
    except (ValueError, OverflowError) as error:
        raise BadTime(f"{day!r} {hour!r} is no time") from error


def _local(day: str, hour: str, zone: tzinfo, *, ends: bool) -> datetime:
    if len(day) > 10 and day[10] in "T " and not hour:
        found = datetime.fromisoformat(day.strip())
        return found if found.tzinfo else found.replace(tzinfo=zone)
    typed = _TYPED_DAY.fullmatch(day)
    on = date(int(typed[3]), int(typed[2]), int(typed[1])) if typed else date.fromisoformat(day)
    if not hour:
        return datetime.combine(on + _DAY if ends else on, time(), zone)
    clock = _HOUR.fullmatch(hour)
    if clock is None:
        raise ValueError(f"{hour!r} is no time of day")
    return datetime.combine(on, time(int(clock[1]), int(clock[2] or 0)), zone)


def shown(at: datetime | None, zone: tzinfo, *, ends: bool) -> tuple[str, str]:
    """The day and hour by which `moment` finds this again."""
    if at is None:
        return "", ""
    local = at.astimezone(zone)
    if (local.hour, local.minute) != (0, 0):
        return f"{local:%Y-%m-%d}", f"{local:%H:%M}"
    return f"{local - _DAY if ends else local:%Y-%m-%d}", ""


# --- what is offered -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OfferedTimes:
    """Days to be away, both of them included. `name`: `this-week`, `next-week`, a word of `holidays.py`, or as listed."""

    key: str
    name: str
    first: date
    last: date
    school: bool = False


def offered(zone: str, today: date, listed: Iterable[ListedHolidays]) -> list[OfferedTimes]:
    """The rest of this week, next week, and the next holidays of a school zone."""
    monday = today + timedelta(days=7 - today.weekday())
    found = [
        OfferedTimes("this-week", "this-week", today, monday - _DAY),
        OfferedTimes("next-week", "next-week", monday, monday + 6 * _DAY),
    ]
    for one in holidays.coming(zone, today, listed):
        begin = max(one.begin, today)
        found.append(OfferedTimes(f"school-{one.begin}", one.name, begin, one.end - _DAY, school=True))
    return found
