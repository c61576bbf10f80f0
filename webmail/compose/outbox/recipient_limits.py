"""Recipient limits: how many recipients a user may write to per hour and per day, as set by the administrator.

Messages count when they are sent: scheduled ones at their time, cancelled and failed ones not at all. So the outbox itself is
what is counted, with what is still to come, in the turn of its owner: a table of uses (webmail/rate_limits.py) can't know that.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from webmail.config.settings import Settings
from webmail.models import Outbox, OutboxState, User, now
from webmail.people import policies
from webmail.rate_limits import DAY, HOUR, RateLimit, TooManyRequestsError

_NEAR = 4  # warn when less than one in this many is left
_UNSENT = [OutboxState.CANCELLED, OutboxState.FAILED]
Leaving = list[tuple[datetime, int]]  # (time of sending, number of recipients)


@dataclass(frozen=True, slots=True)
class RemainingRecipients:
    """How many more recipients the user may write to within `window`."""

    window: timedelta
    people: int
    again: datetime | None = None  # when one may write to somebody again, where it is nobody now (naive UTC)


def for_user(user: User, settings: Settings) -> dict[timedelta, int]:
    """The user's limits by window; {} if unlimited."""
    both = dict(zip((HOUR, DAY), policies.recipient_limits(user, settings), strict=True))
    return {window: most for window, most in both.items() if most > 0}


def check(user: User, people: int, at: datetime, settings: Settings, besides: str = "") -> None:
    """Raises TooManyRequestsError if `people` more recipients at `at` would exceed a limit. Ignores the draft `besides`."""
    limits = for_user(user, settings)
    if not limits:
        return
    leaving = _leaving(user, at, besides)
    rooms = {window: most - _fullest(leaving, at, window) for window, most in limits.items()}
    window = min(rooms, key=lambda one: rooms[one])
    if rooms[window] < people:
        limit, again = RateLimit("recipients", limits[window], window), _possible(leaving, people, at, limits)
        raise TooManyRequestsError(limit=limit, left=max(rooms[window], 0), again=again)


def near(user: User, settings: Settings) -> RemainingRecipients | None:
    """The remaining allowance if it is low, the lower of hour and day; else None. At most 1 query, none if unlimited."""
    limits = for_user(user, settings)
    leaving = _leaving(user, now(), "") if limits else []
    rooms = [RemainingRecipients(window, max(most - _fullest(leaving, now(), window), 0)) for window, most in limits.items()]
    close = [room for room in rooms if room.people * _NEAR < limits[room.window]]
    least = min(close, key=lambda room: room.people, default=None)
    if least is None or least.people:
        return least
    return replace(least, again=_possible(leaving, 1, now(), limits))


def _leaving(user: User, at: datetime, besides: str) -> Leaving:
    """Messages sent within a day before `at` or scheduled for later. 1 query."""
    since = at - DAY
    recent = (Outbox.scheduled > since) | (Outbox.scheduled.is_null() & (Outbox.created > since))
    counted = (Outbox.user == user) & recent & Outbox.state.not_in(_UNSENT) & (Outbox.draft != besides)
    rows = Outbox.select(Outbox.scheduled, Outbox.created, Outbox.people).where(counted)
    return [(row.scheduled or row.created, row.people or 0) for row in rows]


def _fullest(leaving: Leaving, at: datetime, window: timedelta) -> int:
    """The largest number of recipients in any window of that length that contains `at` (sliding window)."""
    ends = [at, *(when for when, _ in leaving if at < when < at + window)]
    return max(sum(people for when, people in leaving if end - window < when <= end) for end in ends)


def _possible(leaving: Leaving, people: int, at: datetime, limits: dict[timedelta, int]) -> datetime | None:
    """The earliest full minute at which no limit is exceeded; None if there is none."""
    for moment in sorted(when + window for when, _ in leaving for window in limits):
        if moment >= at and all(_fullest(leaving, moment, window) + people <= most for window, most in limits.items()):
            return moment.replace(second=0, microsecond=0) + timedelta(minutes=1)
    return None
