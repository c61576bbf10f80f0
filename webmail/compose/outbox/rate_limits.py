"""To how many people one may write in an hour and in a day, by the administrator's word.

What counts is when a message leaves: one that is scheduled counts at its time, one that was stopped or refused not at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from webmail.config import Settings
from webmail.errors import MailError
from webmail.models import Outbox, OutboxState, User, now

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
_NEAR = 4  # something is said when less than this part is left
_UNSENT = [OutboxState.CANCELLED, OutboxState.FAILED]
Leaving = list[tuple[datetime, int]]  # when, to how many people


class RecipientLimitReached(MailError):
    """More recipients than this person may write to at that time.

    `most` in `window`, `room` of them left; `possible` is the first time (UTC, naive) when it may leave, None for never.
    """

    status = 429

    def __init__(self, window: timedelta, most: int, room: int, possible: datetime | None) -> None:
        super().__init__(f"{room} of {most} recipients left in {window}")
        self.window, self.most, self.room, self.possible = window, most, room, possible


@dataclass(frozen=True, slots=True)
class RemainingRecipients:
    """How many more people one may write to within `window`."""

    window: timedelta
    people: int


def for_user(user: User, settings: Settings) -> dict[timedelta, int]:
    """The limits in force for a person, by the length of time; none: {}."""
    own = {HOUR: user.recipients_per_hour, DAY: user.recipients_per_day}
    usual = {HOUR: settings.recipients_per_hour, DAY: settings.recipients_per_day}
    both = {window: usual[window] if most is None else most for window, most in own.items()}
    return {window: most for window, most in both.items() if most > 0}


def check(user: User, people: int, at: datetime, settings: Settings, besides: str = "") -> None:
    """Raises TooManyPeople for a message to so many people that leaves at `at`. The draft `besides` is not counted."""
    limits = for_user(user, settings)
    if not limits:
        return
    leaving = _leaving(user, at, besides)
    rooms = {window: most - _fullest(leaving, at, window) for window, most in limits.items()}
    window = min(rooms, key=lambda one: rooms[one])
    if rooms[window] < people:
        raise RecipientLimitReached(window, limits[window], max(rooms[window], 0), _possible(leaving, people, at, limits))


def near(user: User, settings: Settings) -> RemainingRecipients | None:
    """What is left, where that is little; the least of hour and day. No query without limits."""
    limits = for_user(user, settings)
    leaving = _leaving(user, now(), "") if limits else []
    rooms = [RemainingRecipients(window, max(most - _fullest(leaving, now(), window), 0)) for window, most in limits.items()]
    close = [room for room in rooms if room.people * _NEAR < limits[room.window]]
    return min(close, key=lambda room: room.people, default=None)


def _leaving(user: User, at: datetime, besides: str) -> Leaving:
    """What left within a day before `at`, and what will leave after it."""
    since = at - DAY
    recent = (Outbox.scheduled > since) | (Outbox.scheduled.is_null() & (Outbox.created > since))
    counted = (Outbox.user == user) & recent & Outbox.state.not_in(_UNSENT) & (Outbox.draft != besides)
    rows = Outbox.select(Outbox.scheduled, Outbox.created, Outbox.people).where(counted)
    return [(row.scheduled or row.created, row.people or 0) for row in rows]


def _fullest(leaving: Leaving, at: datetime, window: timedelta) -> int:
    """How many people there are in the fullest stretch of that length which has `at` in it."""
    ends = [at, *(when for when, _ in leaving if at < when < at + window)]
    return max(sum(people for when, people in leaving if end - window < when <= end) for end in ends)


def _possible(leaving: Leaving, people: int, at: datetime, limits: dict[timedelta, int]) -> datetime | None:
    """The first time, on a full minute, when nothing is too much any more."""
    for moment in sorted(when + window for when, _ in leaving for window in limits):
        if moment >= at and all(_fullest(leaving, moment, window) + people <= most for window, most in limits.items()):
            return moment.replace(second=0, microsecond=0) + timedelta(minutes=1)
    return None
