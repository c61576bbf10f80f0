"""Times that one chooses for later, on the establishment's clocks: what is offered, and what may be stored."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from webmail.config import Settings

EVENING, MORNING = time(18), time(8)


class BadTime(ValueError):
    """No time, one that is over, or one too far away."""


def local_now(settings: Settings) -> datetime:
    """Now, on the establishment's clocks."""
    return datetime.now(ZoneInfo(settings.timezone))


def choices(at: datetime, *, before_evening: timedelta) -> dict[str, datetime]:
    """The times that are offered, by name, in the zone of `at`: this evening while it is not nearer than `before_evening`,
    tomorrow, and Monday morning where that is not tomorrow."""
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
    """A time to come as tables have it (UTC, naive). Raises BadTime when it is over at `at`, or further away than `furthest`.

    An hour that the clocks skip is the one after; of one that comes twice it is the first.
    """
    try:
        found = local.astimezone(UTC)
    except (OverflowError, ValueError) as error:  # the first and the last day that there are
        raise BadTime(f"{local} is no time") from error
    if not timedelta(0) < found - at.astimezone(UTC) <= furthest:
        raise BadTime(f"{found} is over, or too far away")
    return found.replace(tzinfo=None)
