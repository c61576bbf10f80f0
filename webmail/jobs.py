"""Background jobs: sends the messages due in the outbox, wakes snoozed messages, and cleans up what has expired.

The database says what is to be done; the job queue (huey, in a file of its own) only wakes the worker early. A lost job
costs a minute, never a message, and a duplicate one does nothing.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import click
import peewee as pw
from flask import Flask, current_app
from flask.cli import with_appcontext

from webmail import audit, rate_limits, system_mail
from webmail.account import Account
from webmail.accounts.work import WORK as ACCOUNTS
from webmail.admin.watching import check_notes, check_requests, dns_notes
from webmail.admin.work import WORK as ADMIN
from webmail.api.work import WORK as API
from webmail.appointments.work import WORK as APPOINTMENTS
from webmail.auth.work import WORK as AUTH
from webmail.calendar.work import WORK as CALENDAR
from webmail.collection_pages.work import WORK as COLLECTION_PAGES
from webmail.collections.work import WORK as COLLECTIONS
from webmail.compose.outbox import delivery
from webmail.compose.outbox.credentials import account_of
from webmail.compose.work import WORK as COMPOSE
from webmail.config.settings import Settings
from webmail.contacts.work import WORK as CONTACTS
from webmail.database import double_submits
from webmail.database.connection import DATABASE_AWAY, advice, db
from webmail.dav.work import WORK as DAV
from webmail.drives.work import WORK as DRIVES
from webmail.filesender.work import WORK as FILESENDER
from webmail.filters.work import WORK as FILTERS
from webmail.handover.work import WORK as HANDOVER
from webmail.keys.work import WORK as KEYS
from webmail.late_calls import late_call
from webmail.mailbox.work import WORK as MAILBOX
from webmail.message.work import WORK as MESSAGE
from webmail.models import Outbox, now
from webmail.people.work import WORK as PEOPLE
from webmail.polls.work import WORK as POLLS
from webmail.system_mail.send_attempts import LEASE
from webmail.takeout.work import WORK as TAKEOUT
from webmail.tasks import heartbeat, leftovers, runner
from webmail.tasks.job_queue import JobQueue
from webmail.tasks.kinds import TaskKind
from webmail.tasks.periodic import AreaWork, Periodic, PeriodicRun
from webmail.tasks.runner import TaskRunner
from webmail.tasks.task_process import TaskProcess
from webmail.tasks.timetable import Timetable
from webmail.transfers.work import WORK as TRANSFERS

log = logging.getLogger(__name__)

WORKERS = 4
_POLL_SECONDS = 0.5  # maximum sleep of an idle worker
LOOK_EVERY = timedelta(seconds=5)  # how often a worker looks whether periodic work is due
_CLEAN_UP_EVERY = timedelta(hours=1)

_note_checks = late_call("webmail.doctor.rounds:note_checks")
_note_dns = late_call("webmail.doctor.rounds:note_dns")
_note_requested = late_call("webmail.doctor.rounds:note_requested")


def _is_real(settings: Settings) -> bool:
    """Whether the doctor looks by itself: where pages are served over TLS, as on every real installation."""
    return settings.secure_cookies


AREAS: tuple[AreaWork, ...] = (
    PEOPLE, COLLECTIONS, AUTH, ACCOUNTS, KEYS, MAILBOX, CONTACTS, DRIVES, TRANSFERS, FILESENDER, COMPOSE, CALENDAR, APPOINTMENTS,
    POLLS, MESSAGE, FILTERS, DAV,
    COLLECTION_PAGES, TAKEOUT, HANDOVER, ADMIN, API,
    AreaWork(clean_up=(audit.expire, leftovers.sweep), expire=(double_submits.expire, rate_limits.expire, heartbeat.expire),
             periodic=(
                 Periodic("dns", _note_dns, dns_notes.EVERY, only_if=_is_real),
                 Periodic("doctor", _note_checks, check_notes.EVERY, only_if=_is_real),
                 Periodic("checks asked for", _note_requested, check_requests.LOOK_EVERY, pending=check_requests.pending),
             )),
)  # fmt: skip
KINDS: tuple[TaskKind, ...] = tuple(kind for area in AREAS for kind in area.kinds)
PERIODIC: tuple[Periodic, ...] = tuple(one for area in AREAS for one in area.periodic)


class Jobs(JobQueue):
    """What the worker does: `work` until it is stopped."""

    def __init__(self, settings: Settings, account_for: Callable[[Outbox], Account]) -> None:
        """Raises ConfigError where the queue's file can't be used."""
        super().__init__(settings.jobs_file)
        self.settings = settings
        self.account_for = account_for
        self.context: Callable[[], AbstractContextManager[Any]] = nullcontext  # in which letters are written
        self.look_at_settings: Callable[[], None] = lambda: None  # at what pages have changed, where it is time
        self._task_process: TaskProcess | None = None

    def deliver(self, outbox_id: int) -> None:
        with db.connection_context(), self.context():
            later = delivery.deliver(outbox_id, self.settings, self.account_for)
            others = delivery.due_again(outbox_id)
        if later is not None:
            self.schedule(outbox_id, later)
        for other in others:
            self.schedule(other, now())

    def deliver_system_mail(self, message_id: int) -> None:
        with db.connection_context():
            later = system_mail.deliver(message_id, self.settings)
        if later is not None:
            self.schedule_system_mail(message_id, later)

    def _look_at_settings(self) -> None:
        with db.connection_context():
            self.look_at_settings()

    def sweep(self) -> None:
        """Send what is due. Does no harm where another worker does the same."""
        with db.connection_context():
            audit.take_in_late()
            ready = delivery.sweep(self.settings)
            notices = system_mail.sweep()
        self._deliver_soon(ready)
        self._deliver_system_mail_soon(notices)

    def clean_up(self) -> None:
        """Delete what has expired, of all areas."""
        with db.connection_context():
            for area in AREAS:
                for clean_up in area.clean_up:
                    clean_up(self.settings)
                for expire in area.expire:
                    expire()

    def do(self, name: str) -> None:
        """Periodic work of this name, due or not."""
        self._do(next(one for one in PERIODIC if one.name == name))

    def _do(self, work: Periodic) -> None:
        soon = (self._deliver_soon, self._deliver_system_mail_soon, self.wake_runner)
        work.do(PeriodicRun(self.settings, self.context, *soon))

    def _deliver_soon(self, rows: Iterable[int]) -> None:
        for outbox_id in rows:
            self.schedule(outbox_id, now())

    def _deliver_system_mail_soon(self, rows: Iterable[int]) -> None:
        for message_id in rows:
            self.schedule_system_mail(message_id, now())

    def wake_runner(self) -> None:
        if self._task_process:
            self._task_process.wake()

    def timetable(self) -> Timetable:
        """What this installation has to do again and again."""
        own = (
            Periodic("sweep", lambda _run: self.sweep()),
            Periodic("clean-up", lambda _run: self.clean_up(), _CLEAN_UP_EVERY),
            # of those whose wake-up got lost, and whose time has come
            Periodic("tasks", lambda run: run.wake_tasks(), runner.LOOK_EVERY, by_all=True, pending=runner.pending),
        )
        return Timetable([one for one in (*own, *PERIODIC) if one.only_if(self.settings)], self._do, self.settings)

    def work(self, workers: int = WORKERS) -> None:
        """Run until SIGTERM or SIGINT; messages being sent are finished first, tasks at their next step.

        There may be several such processes: each message, task and periodic job is done by one of them. Sweeps at the start,
        and again once the leases of a killed worker have expired.
        """
        worker, stopping = heartbeat.new_worker(), threading.Event()
        self._task_process = TaskProcess(lambda: TaskRunner(KINDS, self.settings, worker, look_at_settings=self.look_at_settings))
        self._task_process.start()
        timetable = self.timetable()
        rounds: list[tuple[timedelta, Callable[[], None]]] = [
            (heartbeat.EVERY, partial(_beat, worker, now())),
            (LOOK_EVERY, self._look_at_settings),
            (LOOK_EVERY, timetable.look),
            (LOOK_EVERY, self._task_process.watch),
        ]
        loops = [threading.Thread(target=_repeat, args=(stopping, *one), daemon=True) for one in rounds]
        self.sweep()
        self._sweep.schedule(delay=LEASE.total_seconds() + 2)
        for loop in loops:
            loop.start()
        consumer = self.huey.create_consumer(
            workers=workers, worker_type="thread", initial_delay=0.1, backoff=1.2, max_delay=_POLL_SECONDS, graceful_signal="TERM"
        )
        try:
            with _one_open():
                consumer.run()
        finally:
            stopping.set()
            self._task_process.stop()
            with suppress(*DATABASE_AWAY), db.connection_context():
                heartbeat.gone(worker)
        self._task_process.begin_again_if_broken()


def _repeat(stopping: threading.Event, every: timedelta, do: Callable[[], None]) -> None:
    """Do something again and again until the worker stops. A database that is away now is asked again next time."""
    while True:
        try:
            do()
        except DATABASE_AWAY as error:
            log.warning("periodic work waits: the database %s", advice(error))
        except Exception:
            log.exception("periodic work broke")
        if stopping.wait(every.total_seconds()):
            return


@contextmanager
def _one_open() -> Iterator[None]:
    """Keep one connection to SQLite, which else puts its journal away and begins it anew whenever a thread closes the last.
    Other databases need none that nobody uses, and may be away now."""
    if isinstance(db.obj, pw.SqliteDatabase):
        with suppress(*DATABASE_AWAY):
            db.connect(reuse_if_open=True)
    yield


def _beat(worker: str, started: datetime) -> None:
    with db.connection_context():
        heartbeat.beat(worker, started)


def build(settings: Settings, account_for: Callable[[Outbox], Account] | None = None) -> Jobs:
    """The job queue of this instance; `account_for` gives the mail account for an outbox row (default: `account_of`)."""
    return Jobs(settings, account_for or (lambda row: account_of(row, settings)))


def work(app: Flask) -> None:
    """The worker of `flask jobs`, in the foreground."""
    jobs = build(app.extensions["settings"])
    jobs.context = app.app_context
    jobs.look_at_settings = app.extensions["live_settings"].look
    jobs.work()


@click.command("jobs")
@with_appcontext
def command() -> None:
    """Run the worker: send mail that is due and do background tasks. Run exactly one."""
    try:
        work(current_app._get_current_object())  # type: ignore[attr-defined]
    except DATABASE_AWAY as error:
        raise click.ClickException(f"the database {advice(error)}") from error
