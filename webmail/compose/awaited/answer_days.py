"""Answer days: by which day an answer is awaited, as offered and as chosen."""

from __future__ import annotations

import contextlib
from datetime import date, datetime, timedelta

from webmail import schedule
from webmail.schedule import BadTimeError

FURTHEST = timedelta(days=366)
_OFFERED = (1, 2, 3, 4, 5, 6, 7, 14, 21, 30)  # days from now


def choices(today: date, chosen: str = "") -> list[date]:
    """The days to choose from, with one that was chosen otherwise."""
    days = {today + timedelta(days=count) for count in _OFFERED}
    with contextlib.suppress(ValueError):
        days.add(date.fromisoformat(chosen))
    return sorted(days)


def due(day: str, at: datetime, sent: datetime | None = None) -> datetime:
    """The moment of that day, in the morning in the time zone of `at`, as tables store it. Raises BadTimeError if it is none, or
    not after `at` and (naive UTC) when the message is `sent`."""
    try:
        local = datetime.combine(date.fromisoformat(day.strip()), schedule.MORNING, at.tzinfo)
    except ValueError as error:
        raise BadTimeError(f"{day!r} is no day") from error
    found = schedule.stored(local, at, FURTHEST)
    if sent is not None and found <= sent:
        raise BadTimeError(f"{day} is not after the message is sent")
    return found
