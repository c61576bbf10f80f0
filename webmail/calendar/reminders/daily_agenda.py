"""Daily agendas: the day's events by mail at an hour of one's choice, once a day, on days that have some."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import peewee as pw

from webmail import preferences
from webmail.calendar import editing, objects
from webmail.calendar.display import happenings
from webmail.calendar.display.happenings import Happening
from webmail.collections import look
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.models import DailyAgenda, SystemMessage, User, now

log = logging.getLogger(__name__)

LATE = timedelta(hours=3)  # after that, as when the workers stood still, the next one is tomorrow's
MOST = 50  # events in a message
_PIECE = 100
_UNKNOWN = datetime(2000, 1, 1)  # a worker has to find out when it is due

Write = Callable[[User, date, list[Happening], dict[int, str], ZoneInfo], SystemMessage | None]


def choose(user: User) -> None:
    """Note what the person's preferences say now; a worker finds when the next one is due. 1 query."""
    if preferences.for_user(user).agenda_hour < 0:
        DailyAgenda.delete().where(DailyAgenda.user == user).execute()
        return
    insert = DailyAgenda.insert(user=user, due=_UNKNOWN)
    insert.on_conflict(conflict_target=[DailyAgenda.user], preserve=[DailyAgenda.due]).execute()


def zone_of(existing: preferences.Preferences, settings: Settings) -> ZoneInfo:
    return ZoneInfo(existing.time_zone or settings.timezone)


def next_due(after: datetime, hour: int, zone: ZoneInfo) -> datetime:
    """The next time after this one (both UTC, naive) that clocks in a zone show this hour; the next, where they skip it."""
    day = after.replace(tzinfo=UTC).astimezone(zone).date()
    for ahead in range(3):
        local = datetime(day.year, day.month, day.day, hour, tzinfo=zone) + timedelta(days=ahead)
        due = local.astimezone(UTC).replace(tzinfo=None)
        if due > after:
            return due
    raise ValueError(f"no hour {hour}")


def pending() -> pw.Query:
    """What `sweep` would find."""
    return DailyAgenda.select(DailyAgenda.id).where(DailyAgenda.due <= now())


def sweep(settings: Settings, write: Write, at: datetime | None = None) -> list[int]:
    """Queue what is due `at` (now: UTC, naive); returns the messages to deliver (by `id`). One transaction for each person."""
    messages: list[int] = []
    at = at or now()
    while rows := list(DailyAgenda.select().where(DailyAgenda.due <= at).order_by(DailyAgenda.due).limit(_PIECE)):
        claimed = 0
        for row in rows:
            done, message = _write(row, settings, write, at)
            claimed += done
            messages += [message] if message else []
        if not claimed:
            break
    return messages


def _write(row: DailyAgenda, settings: Settings, write: Write, at: datetime) -> tuple[bool, int]:
    """Queue a person's agenda, and note when the next is due; whether this worker was the first to do so."""
    user = User.get_or_none(User.id == row.user_id)
    if user is None:  # deleted since the row was read, which went too
        return False, 0
    known = preferences.for_user(user)
    zone = zone_of(known, settings)
    day = row.due.replace(tzinfo=UTC).astimezone(zone).date()
    wanted = bool(user.active) and known.agenda_hour >= 0 and row.due > at - LATE
    rows, names = _events(user, set(known.hidden_calendars), day, zone, settings) if wanted else ([], {})
    same = (DailyAgenda.id == row.id) & (DailyAgenda.due == row.due)
    with db.atomic():
        if known.agenda_hour < 0:
            return bool(DailyAgenda.delete().where(same).execute()), 0
        if not DailyAgenda.update(due=next_due(at, known.agenda_hour, zone)).where(same).execute():
            return False, 0
        message = write(user, day, rows, names, zone) if rows else None
    return True, message.id if message else 0


def _events(
    user: User, hidden: set[str], day: date, zone: ZoneInfo, settings: Settings
) -> tuple[list[Happening], dict[int, str]]:
    """What a day has in the calendars that the person's pages show, and what these are called. Without what is cancelled, and
    what others only share as busy."""
    mine: Any = [one for one in editing.calendars(user) if one.reads and str(one.collection.id) not in hidden]
    rights = {one.collection.id: one.sight for one in mine}
    names = {one.collection.id: look.title_of(one.props) for one in mine}
    found = happenings.between(rights, day, day, zone, objects.zone_of(settings.timezone), MOST * 2)
    return [one for one in found.rows if not one.cancelled], names
