"""Nights: whose turn to be archived it is, each person once a night, spread over the hours that the settings name."""

from __future__ import annotations

import logging
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from peewee import Expression

from webmail import preferences
from webmail.config.settings import Settings
from webmail.errors import LimitReachedError
from webmail.filters.archiving import archive_task
from webmail.models import ArchiveRule, Task, User, now
from webmail.tasks import store

log = logging.getLogger(__name__)

EVERY = timedelta(minutes=5)
_GRACE = timedelta(hours=3)  # for whoever's turn came while no worker was there
_MOST_AT_ONCE = 300  # people whose tasks one round begins
_SCATTER = 7919  # a prime, so that neighbours in the table are no neighbours in the night


def night_of(settings: Settings, at: datetime) -> tuple[date, timedelta] | None:
    """The day on which the night that goes on at `at` (aware) began, and for how long it has; None by day."""
    zone = ZoneInfo(settings.timezone)
    local = at.astimezone(zone)
    begins = time.fromisoformat(settings.archive_time)
    for day in (local.date(), local.date() - timedelta(days=1)):  # a night may reach past midnight
        since = at.astimezone(UTC) - datetime.combine(day, begins, zone).astimezone(UTC)
        if timedelta(0) <= since < timedelta(minutes=settings.archive_spread_minutes) + _GRACE:
            return day, since
    return None


def sweep(settings: Settings, at: datetime | None = None) -> int:
    """Begin the tasks of those whose turn has come; returns how many. Only with tokens: no password is kept for it."""
    night = night_of(settings, at or datetime.now(UTC))
    if night is None or not settings.token_key_file:
        return 0
    day, since = night
    begun = now() - since - timedelta(minutes=1)
    tonight = Task.select(Task.user).where((Task.kind == archive_task.NAME) & (Task.created >= begun))
    people = User.select(User.id).where(who_archives(settings) & User.id.not_in(tonight)).order_by(User.id)
    due = [user.id for user in people if _moment(user.id, settings) <= since]
    count = 0
    for number in due:
        user = User.get_or_none(User.id == number)
        if user is None or preferences.for_user(user).archive_night == day.isoformat():
            continue
        if count == _MOST_AT_ONCE:
            break
        task_id = store.id_of_form(user, f"{archive_task.NAME} {day.isoformat()}")
        try:
            store.start(user, archive_task.NAME, {"night": day.isoformat()}, task_id=task_id, alone=True)
            preferences.change(user, archive_night=day.isoformat())
            count += 1
        except LimitReachedError as error:
            log.warning("old messages wait: %s", error)
    return count


def who_archives(settings: Settings) -> Expression:
    """The people whose mail is archived: those who have rules that are on, or everybody where the administrator gave some."""
    rules = ArchiveRule.select(ArchiveRule.user).where(ArchiveRule.on)
    return User.active == 1 if settings.archive else (User.active == 1) & User.id.in_(rules)


def _moment(user_id: int, settings: Settings) -> timedelta:
    """How long after the night's beginning somebody's turn comes: each night the same."""
    return timedelta(minutes=user_id * _SCATTER % max(settings.archive_spread_minutes, 1))
