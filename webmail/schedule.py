"""Schedule times: as a person types and reads them in their time zone; those offered for sending later or snoozing."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

EVENING, MORNING = time(18), time(8)
_HOUR = re.compile(r"(\d\d?)(?:[:.]|[ \u00a0\u202f]?[hH][ \u00a0\u202f]?)?((?<=\D)\d\d(?::\d\d(?:\.\d+)?)?)?", re.ASCII)
_TYPED_DAY = re.compile(r"(\d\d?)[/.](\d\d?)[/.](\d{4})", re.ASCII)
_YEARS = (2000, 2200)
_DAY = timedelta(days=1)


class BadTimeError(ValueError):
    """Not a valid time, or one that is past or too far in the future."""


def local_now(zone: ZoneInfo) -> datetime:
    """Now, in the time zone of a person."""
    return datetime.now(zone)


def choices(at: datetime, *, before_evening: timedelta) -> dict[str, datetime]:
    """The times offered, by name, in the time zone of `at`: this evening if it is more than `before_evening` away,
    tomorrow morning, and Monday morning unless that is tomorrow."""
    zone, today = at.tzinfo, at.date()
    tomorrow = today + timedelta(days=1)
    monday = today + timedelta(days=7 - today.weekday())
    evening = datetime.combine(today, EVENING, zone)
    found = {"evening": evening} if evening - at > before_evening else {}
    found["tomorrow"] = datetime.combine(tomorrow, MORNING, zone)
    if monday != tomorrow:
        found["monday"] = datetime.combine(monday, MORNING, zone)
    return found


def stored(local: datetime, at: datetime, furthest: timedelta) -> datetime:
    """A future time as tables store it (UTC, naive). Raises BadTimeError if it is not after `at`, or more than `furthest` away.

    At a clock change, a skipped hour becomes the one after it, and an hour that occurs twice is the first.
    """
    try:
        found = local.astimezone(UTC)
    except (OverflowError, ValueError) as error:  # next to datetime.min or datetime.max
        raise BadTimeError(f"{local} is no time") from error
    if not timedelta(0) < found - at.astimezone(UTC) <= furthest:
        raise BadTimeError(f"{found} is over, or too far away")
    return found.replace(tzinfo=None)


def moment(day: str, hour: str, zone: tzinfo, *, ends: bool) -> datetime | None:
    """What was typed as a moment in UTC, None for nothing. Raises BadTimeError.

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
        raise BadTimeError(f"{day!r} {hour!r} is no time") from error


def _local(day: str, hour: str, zone: tzinfo, *, ends: bool) -> datetime:
    if len(day) > 10 and day[10] in "T " and not hour:
        found = datetime.fromisoformat(day.strip())
        return found if found.tzinfo else found.replace(tzinfo=zone)
    typed = _TYPED_DAY.fullmatch(day)
    on = date(int(typed[3]), int(typed[2]), int(typed[1])) if typed else date.fromisoformat(day)
    if not hour:
        return datetime.combine(on + _DAY if ends else on, time(), zone)
    return datetime.combine(on, time_of_day(hour), zone)


def time_of_day(text: str) -> time:
    """A time of day as browsers send it (14:30), or as it is typed: 14.30, 14h30, 14 h 30, 14 h, 14. Raises ValueError."""
    clock = _HOUR.fullmatch(text.strip())
    if clock is None:
        raise ValueError(f"{text!r} is no time of day")
    return time(int(clock[1]), int((clock[2] or "0")[:2]))


def day_and_hour(at: datetime | None, zone: tzinfo, *, ends: bool) -> tuple[str, str]:
    """The day and hour by which `moment` finds this again."""
    if at is None:
        return "", ""
    local = at.astimezone(zone)
    if (local.hour, local.minute) != (0, 0):
        return f"{local:%Y-%m-%d}", f"{local:%H:%M}"
    return f"{local - _DAY if ends else local:%Y-%m-%d}", ""
