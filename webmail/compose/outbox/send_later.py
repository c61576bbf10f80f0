"""Send later: the times offered for scheduled messages, and sending one now or rescheduling it.

A scheduled message is an outbox row due at that time; any worker running then sends it.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime

from webmail import schedule
from webmail.compose.outbox import recipient_limits, spool
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.models import Outbox, OutboxState, User, now
from webmail.schedule import BadTimeError

FURTHEST = timedelta(days=366)
_DATE = re.compile(rb"^Date: [^\r\n]*(?=\r\n)", re.MULTILINE)


def choices(at: datetime) -> dict[str, datetime]:
    """The times offered, by name, in the time zone of `at`."""
    return schedule.choices(at, before_evening=timedelta(minutes=10))


def chosen(name: str, day: str, hour: str, at: datetime) -> datetime:
    """The chosen time as naive UTC: a named choice, or for the name "at" a date and time of day in the time zone of `at`.

    Raises BadTimeError.
    """
    try:
        local = _own(day, hour, at) if name == "at" else choices(at)[name]
    except (KeyError, ValueError) as error:
        raise BadTimeError(f"{name} {day!r} {hour!r} is no time") from error
    return schedule.stored(local, at, FURTHEST)


def _own(day: str, hour: str, at: datetime) -> datetime:
    """Parse a date and time of day as browsers send them, or as typed where they have no time input. Raises ValueError."""
    return datetime.combine(date.fromisoformat(day.strip()), schedule.time_of_day(hour), at.tzinfo)


def waits(row: Outbox) -> bool:
    """Whether the message is scheduled and its time is still to come."""
    return row.state == OutboxState.WAITING and row.scheduled is not None and row.scheduled > now() and not row.sent_at


def send_now(user: User, outbox_id: int, settings: Settings) -> bool:
    """Send a scheduled message at once; False if it was sent or cancelled. Raises TooManyRequestsError,
    spool.ContentGoneError, StorageFullError, StorageAwayError.
    """
    return _move(user, outbox_id, None, settings)


def change(user: User, outbox_id: int, at: datetime, settings: Settings) -> bool:
    """Reschedule a scheduled message. Returns and raises as `send_now` does."""
    return _move(user, outbox_id, at, settings)


def _move(user: User, outbox_id: int, at: datetime | None, settings: Settings) -> bool:
    """Also updates the Date header to the new time, unless that is signed or encrypted: it says when the message was written."""
    when = at or now()
    still = (Outbox.id == outbox_id) & (Outbox.user == user) & (Outbox.state == OutboxState.WAITING) & Outbox.sent_at.is_null()
    row = Outbox.get_or_none(still & Outbox.scheduled.is_null(False) & (Outbox.scheduled > now()))
    if row is None:
        return False
    before = bytes(row.content)
    content = before if row.protection else spool.with_header(before, lambda header: _dated(header, when), settings)
    with db.atomic():
        recipient_limits.check(user, row.people or 0, when, settings, besides=row.draft)
        changed = Outbox.update(scheduled=at, due=when, created=now(), content=content, attempts=Outbox.attempts + 1)
        moved = bool(changed.where(still & (Outbox.attempts == row.attempts)).execute())
    if content != before:
        spool.remove(before if moved else content, settings)
    return moved


def _dated(header: bytes, when: datetime) -> bytes:
    """The header block with its Date replaced (naive UTC)."""
    stamp = format_datetime(when.replace(tzinfo=UTC)).encode()
    return _DATE.sub(b"Date: " + stamp, header, count=1)
