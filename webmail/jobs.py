"""Work that no visitor waits for: messages leave the outbox at their time, and what is over is swept away.

The tables say what is to be done; the queue (huey, in a file of its own) only wakes the worker early. A wake-up that is lost
costs a minute, never a message, and one that comes twice costs nothing.
"""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from flask import Flask
from huey import SqliteHuey, crontab

from webmail import preferences, vault
from webmail.account import Account
from webmail.compose import draft_cleanup, draft_copies
from webmail.compose.outbox import delivery
from webmail.config import ConfigError, Settings
from webmail.database.connection import db
from webmail.errors import SignInRefused
from webmail.mailbox import snooze
from webmail.message import image_cache
from webmail.models import Outbox, now

log = logging.getLogger(__name__)

WORKERS = 4
_POLL_SECONDS = 0.2  # the longest an idle worker sleeps
_DRAFTS_EVERY = 3600.0
_FAR = timedelta(minutes=2)


class Jobs:
    """The queue: `schedule` is for the web application, `work` for the worker's process."""

    def __init__(self, settings: Settings, account_for: Callable[[Outbox], Account]) -> None:
        self.settings = settings
        self.account_for = account_for
        Path(settings.jobs_file).parent.mkdir(parents=True, exist_ok=True)
        self.huey = SqliteHuey("traboule", filename=settings.jobs_file, results=False, fsync=False)
        self._drafts_swept = float("-inf")
        self._deliver = self.huey.task(name="deliver")(self.deliver)
        self._sweep = self.huey.task(name="sweep_soon")(self.sweep)
        self.huey.periodic_task(crontab(minute="*"), name="sweep")(self.sweep)
        self._wake = self.huey.task(name="wake_soon")(self.wake)
        self.huey.periodic_task(crontab(minute="*"), name="wake")(self.wake)

    def schedule(self, outbox_id: int, when: datetime) -> None:
        """Wake a worker for this row at `when` (UTC, naive). Never raises: without the queue, the next sweep finds the row.

        So it does with what is far away, which may be stopped or moved until then.
        """
        if when - now() > _FAR:
            return
        try:
            self._deliver.schedule(args=(outbox_id,), delay=max((when - now()).total_seconds(), 0))
        except (sqlite3.Error, OSError) as error:
            log.warning("outbox %d waits for the next sweep: %s", outbox_id, error)

    def deliver(self, outbox_id: int) -> None:
        with db.connection_context():
            later = delivery.deliver(outbox_id, self.settings, self.account_for)
        if later is not None:
            self.schedule(outbox_id, later)

    def sweep(self) -> None:
        with db.connection_context():
            ready = delivery.sweep(self.settings)
            if time.monotonic() - self._drafts_swept > _DRAFTS_EVERY:
                self._drafts_swept = time.monotonic()
                draft_copies.rescue(self.settings)
                draft_cleanup.sweep(self.settings)
                image_cache.sweep(self.settings)
        for outbox_id in ready:
            self.schedule(outbox_id, now())

    def wake(self) -> None:
        """Bring back the messages that were put off until now. Apart from `sweep`: a slow mail server holds up no sending."""
        with db.connection_context():
            snooze.sweep(self.settings)

    def work(self, workers: int = WORKERS) -> None:
        """Work until SIGTERM or SIGINT; what is being sent then is finished first. One such process is enough.

        At the start everything due is looked at, and again once the leases of a worker that was killed have run out.
        """
        self.sweep()
        self._wake.schedule(delay=0)
        self._sweep.schedule(delay=delivery.LEASE.total_seconds() + 2)
        consumer = self.huey.create_consumer(
            workers=workers, worker_type="thread", initial_delay=0.1, backoff=1.2, max_delay=_POLL_SECONDS, graceful_signal="TERM"
        )
        consumer.run()


def build(settings: Settings, account_for: Callable[[Outbox], Account] | None = None) -> Jobs:
    """The queue of this instance; `account_for` says how to reach the mail servers for a row (default: `account_of`)."""
    return Jobs(settings, account_for or (lambda row: account_of(row, settings)))


def account_of(row: Outbox, settings: Settings) -> Account:
    """The account that a row is sent from: by our own token, else with the password sealed in the row. Raises SignInRefused."""
    address = row.user.address
    if not row.user.active:  # disabled since it was written
        raise SignInRefused(f"{address} is disabled")
    try:
        if settings.token_key_file:
            return preferences.with_roles(settings.account(address), row.user)
        if row.credential is None:
            raise SignInRefused(f"outbox {row.id} has no credential")
        password = vault.open_for_outbox(row.credential, settings.secret_key, row.user.id)
        return preferences.with_roles(settings.account(address, password=password), row.user)
    except (vault.CannotOpen, ConfigError) as error:
        raise SignInRefused(str(error)) from error


def work(app: Flask) -> None:
    """What `flask jobs` runs, in the foreground."""
    jobs: Jobs = app.extensions["jobs"]
    jobs.work()
