"""Send attempts: what the queues that send mail have in common (the outbox, system mail): who holds a row, and when to try again.

Their rows have the columns `state` (an OutboxState), `due`, `lease`, `attempts` and `handed_over`. Every change of state is one
conditional UPDATE that names the state before. A worker leases a row, keeps renewing the lease, and must still hold it to send
the final dot: `attempts` is a fencing token, incremented by any worker that takes over.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import peewee as pw

from webmail.database.connection import db
from webmail.errors import MailError
from webmail.models import OutboxState, now

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=45)  # a worker that does not renew it for so long is considered dead
HEARTBEAT_SECONDS = 10.0
GIVE_UP = timedelta(days=1)
STOPPED = "the program that was sending it stopped"
_WAITS = [1, 2, 5, 15, 30, 60]  # retry delays in minutes; the last one repeats


class LeaseLostError(MailError):
    """Another worker took the message over, so this one must not complete it."""


def next_try(attempts: int) -> datetime:
    """When to try again after so many attempts."""
    return now() + timedelta(minutes=_WAITS[min(attempts, len(_WAITS)) - 1])


class SendQueue:
    """The rows of a table, as workers take them in turn. Every method needs an open database connection."""

    def __init__(self, table: Any, name: str) -> None:
        self.table = table
        self.name = name  # for the log

    def take(self, row_id: int) -> Any:
        """Lease the row for sending; None if it is not due, or leased or changed by another worker."""
        table = self.table
        due = (table.id == row_id) & (table.state == OutboxState.WAITING) & (table.due <= now())
        free = table.lease.is_null() | (table.lease < now())
        taken = table.update(state=OutboxState.SENDING, handed_over=False, attempts=table.attempts + 1, lease=now() + LEASE)
        if not taken.where(due & free).execute():
            return None
        row = table.get_or_none(table.id == row_id)
        return row if row is not None and row.state == OutboxState.SENDING else None

    def change(self, row: Any, states: Sequence[OutboxState], **values: Any) -> bool:
        """Update the row if it is in one of these states and this worker still holds it (compare-and-swap on `attempts`)."""
        table = self.table
        held = (table.id == row.id) & table.state.in_(states) & (table.attempts == row.attempts)
        return bool(table.update(**values).where(held).execute())

    def hand_over(self, row: Any) -> None:
        """Note that the final dot comes next: from here on the row is never sent again by itself. Raises LeaseLostError."""
        if not self.change(row, [OutboxState.SENDING], handed_over=True, lease=now() + LEASE):
            raise LeaseLostError(f"{self.name} {row.id} was taken over")

    @contextlib.contextmanager
    def lease_kept(self, row: Any, states: Sequence[OutboxState] = (OutboxState.SENDING,)) -> Iterator[None]:
        """Renew the lease from a thread while the block runs, so that a slow server does not look like a dead worker.

        `states`: those in which the row is held.
        """
        done = threading.Event()

        def beat() -> None:
            while not done.wait(HEARTBEAT_SECONDS):
                try:
                    with db.connection_context():
                        self.change(row, states, lease=now() + LEASE)
                except pw.OperationalError as error:  # database busy: the next heartbeat retries
                    log.warning("%s %d: lease not renewed: %s", self.name, row.id, error)

        thread = threading.Thread(target=beat, name=f"lease-{row.id}", daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def recover(self, given_up: pw.Expression, **values: Any) -> int:
        """Recover rows with expired leases; returns how many. Before the final dot they become WAITING, or FAILED where
        `given_up`; after it, UNCERTAIN. The last two get these `values` too."""
        table = self.table
        stale = (table.state == OutboxState.SENDING) & (table.lease.is_null() | (table.lease < now()))
        unsent = stale & (table.handed_over == False)  # noqa: E712
        lost = table.update(state=OutboxState.UNCERTAIN, lease=None, error=STOPPED, **values)
        over = table.update(state=OutboxState.FAILED, lease=None, error=STOPPED, **values)
        back = table.update(state=OutboxState.WAITING, lease=None)
        return int(
            lost.where(stale & (table.handed_over == True)).execute()  # noqa: E712
            + over.where(unsent & given_up).execute()
            + back.where(unsent).execute()
        )
