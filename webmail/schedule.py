"""Schedule times: the times offered for sending later or snoozing, in a person's time zone, and their validation."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

EVENING, MORNING = time(18), time(8)


class BadTime(ValueError):
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
    """A future time as tables store it (UTC, naive). Raises BadTime if it is not after `at`, or more than `furthest` away.

    At a clock change, a skipped hour becomes the one after it, and an hour that occurs twice is the first.
    """
    try:
        found = local.astimezone(UTC)
    except (OverflowError, ValueError) as error:  # next to datetime.min or datetime.max
        raise BadTime(f"{local} is no time") from error
    if not timedelta(0) < found - at.astimezone(UTC) <= furthest:
        raise BadTime(f"{found} is over, or too far away")
    return found.replace(tzinfo=None)
