"""Who is at a message that waits: its row of `Snoozed` is theirs for a while who took it, in whatever process."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from webmail.models import Snoozed, now

LEASE = timedelta(minutes=2)  # for one message; a worker that is killed leaves it


def claim(row: Snoozed) -> bool:
    """Take the row for a while, unless somebody has it or it is gone: one conditional UPDATE."""
    at = now()
    free = Snoozed.lease.is_null() | (Snoozed.lease < at)
    return bool(Snoozed.update(lease=at + LEASE).where(Snoozed.id == row.id, free).execute())


def give_back(rows: Iterable[Snoozed]) -> None:
    Snoozed.update(lease=None).where(Snoozed.id.in_([row.id for row in rows])).execute()


def put_aside(rows: Iterable[Snoozed]) -> None:
    """Leave them alone until a lease from now is over: a try failed, and others' have their turn before the next one."""
    Snoozed.update(lease=now() + LEASE).where(Snoozed.id.in_([row.id for row in rows])).execute()
