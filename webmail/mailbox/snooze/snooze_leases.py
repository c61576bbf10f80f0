"""Snooze leases: exclusive, expiring claims on rows of `Snoozed`, so that only one process wakes a message."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from webmail.models import Snoozed, now

LEASE = timedelta(minutes=2)  # per message; the lease of a killed worker expires


def lease(row: Snoozed) -> bool:
    """Lease the row; False if it is leased by another worker or gone. 1 conditional UPDATE."""
    at = now()
    free = Snoozed.lease.is_null() | (Snoozed.lease < at)
    return bool(Snoozed.update(lease=at + LEASE).where(Snoozed.id == row.id, free).execute())


def give_back(rows: Iterable[Snoozed]) -> None:
    Snoozed.update(lease=None).where(Snoozed.id.in_([row.id for row in rows])).execute()


def put_aside(rows: Iterable[Snoozed]) -> None:
    """Delay the next attempt by LEASE after a failure, so that other messages are tried first."""
    Snoozed.update(lease=now() + LEASE).where(Snoozed.id.in_([row.id for row in rows])).execute()
