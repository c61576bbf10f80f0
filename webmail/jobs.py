"""Background jobs: sends the messages due in the outbox, wakes snoozed messages, and cleans up what has expired.

The database says what is to be done; the job queue (huey, in a file of its own) only wakes the worker early. A lost job
costs a minute, never a message, and a duplicate one does nothing.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from datetime import datetime, timedelta
from functools import partial, wraps
from pathlib import Path
from typing import Any

from flask import Flask
from huey import SqliteHuey

from webmail import audit, preferences, rate_limits, system_mail, vault
from webmail.account import Account
from webmail.accounts import own_data, support
from webmail.auth import app_passwords, mailed_codes, password_reset
from webmail.auth.check_slots import TooBusy
from webmail.auth.devices import handover
from webmail.auth.providers import app_password_pause, directory_sweep
from webmail.auth.views import directory_letters, pause_letters
from webmail.calendar import birthdays, daily_agenda, objects, reminders, subscribed_rounds
from webmail.calendar import import_task as calendar_import
from webmail.calendar.views import calendar_letters
from webmail.collection_pages import restore_task
from webmail.collections import leaving, trash
from webmail.collections import store as collections
from webmail.compose import draft_cleanup, kept_drafts
from webmail.compose.outbox import delivery, link_gate
from webmail.config import ConfigError, Settings
from webmail.contacts import categories, device_cards, import_check, import_task
from webmail.database import once
from webmail.database.connection import DATABASE_AWAY, advice, db
from webmail.dav import delete_task
from webmail.dav.remote import rounds as other_servers
from webmail.errors import ServerAway, SignInRefused
from webmail.filters import apply_task, contact_rules, forward_targets, snoozed_arrivals
from webmail.filters.archiving import archive_log, archive_task, archive_undo, nights
from webmail.mailbox import detach_task, export_task, import_undo, move_in, room_task, snooze
from webmail.mailbox import import_task as mail_import_task
from webmail.message import image_cache
from webmail.models import DraftRow, Outbox, now
from webmail.people import learning
from webmail.send_attempts import LEASE
from webmail.tasks import heartbeat, leftovers
from webmail.tasks.kinds import TaskKind
from webmail.tasks.process import TaskProcess
from webmail.tasks.runner import TaskRunner
from webmail.transfers import additions, check_queue, content, download_codes, requests, store
from webmail.transfers.views import letters

log = logging.getLogger(__name__)

WORKERS = 4
_POLL_SECONDS = 0.2  # maximum sleep of an idle worker
_PERIOD = timedelta(minutes=1)  # of sweeping the outbox and waking snoozed messages
_LOOK_EVERY = timedelta(seconds=5)  # how often a worker looks whether that is due
_CLEAN_UP_EVERY = timedelta(hours=1)
_DAY = timedelta(days=1)
_FAR = timedelta(minutes=2)
_TRANSFERS_EVERY = timedelta(seconds=20)  # letters about large files, and the end of what is over
_DELETING = 10.0  # seconds of it for deleting files, then letters have their turn again

KINDS: tuple[TaskKind, ...] = (
    import_check.KIND, import_task.KIND, mail_import_task.KIND, move_in.KIND, import_undo.KIND, export_task.KIND, own_data.KIND,
    learning.KIND, delete_task.KIND, restore_task.KIND, room_task.KIND, detach_task.KIND, apply_task.KIND, archive_task.KIND,
    archive_undo.KIND, calendar_import.CHECK_KIND, calendar_import.KIND, calendar_import.UNDO_KIND, import_task.UNDO_KIND,
)  # fmt: skip


class Jobs:
    """The job queue: `schedule...` and `wake_tasks` are for the web application, `work` for the worker process."""

    def __init__(self, settings: Settings, account_for: Callable[[Outbox], Account]) -> None:
        """Raises ConfigError where the queue's file can't be used."""
        self.settings = settings
        self.account_for = account_for
        Path(settings.jobs_file).parent.mkdir(parents=True, exist_ok=True)
        self.huey = _queue(settings.jobs_file)
        self.context: Callable[[], AbstractContextManager[Any]] = nullcontext  # of a worker: in which letters are written
        self._task_process: TaskProcess | None = None  # of a worker
        self._deliver = self.huey.task(name="deliver")(_patient(self.deliver))
        self._deliver_system = self.huey.task(name="deliver_system_mail")(_patient(self.deliver_system_mail))
        self._sweep = self.huey.task(name="sweep_soon")(_patient(self.sweep))
        self._tasks = self.huey.task(name="tasks_soon")(self._wake_runner)

    def schedule(self, outbox_id: int, when: datetime) -> None:
        """Schedule delivery of an outbox row at `when` (UTC, naive). Never raises: without the queue, the next sweep finds it.

        Nothing is queued for a distant time, since the message may be cancelled or rescheduled: the sweep finds that too.
        """
        self._schedule(self._deliver, outbox_id, when, "outbox")

    def schedule_system_mail(self, message_id: int, when: datetime) -> None:
        """The same for a message of the establishment."""
        self._schedule(self._deliver_system, message_id, when, "system mail")

    def _schedule(self, task: Any, row_id: int, when: datetime, name: str) -> None:
        if when - now() > _FAR:
            return
        try:
            task.schedule(args=(row_id,), delay=max((when - now()).total_seconds(), 0))
        except (sqlite3.Error, OSError) as error:
            log.warning("%s %d waits for the next sweep: %s", name, row_id, error)

    def wake_tasks(self) -> None:
        """Tell a worker that a task was put in the queue. Never raises: without the queue, it is found within seconds."""
        try:
            self._tasks.schedule(delay=0)
        except (sqlite3.Error, OSError) as error:
            log.warning("a task waits until a worker looks for it: %s", error)

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

    def sweep(self) -> None:
        """Send what is due, and clean up each hour. Does no harm where another worker does the same."""
        with db.connection_context():
            audit.take_in_late()
            ready = delivery.sweep(self.settings)
            notices = system_mail.sweep()
            if heartbeat.claim_periodic("clean-up", _CLEAN_UP_EVERY):
                draft_cleanup.sweep(self.settings)
                image_cache.sweep(self.settings)
                audit.expire(self.settings)
                mailed_codes.expire()
                app_passwords.note_expired()
                password_reset.expire()
                handover.expire()
                support.expire()
                once.expire()
                rate_limits.expire()
                forward_targets.note_closed()
                leftovers.sweep(self.settings)
                archive_log.expire()
                trash.expire()
                collections.forget_gone()
                device_cards.adopt_strays()
                objects.extend_index(objects.zone_of(self.settings.timezone))
        for outbox_id in ready:
            self.schedule(outbox_id, now())
        for message_id in notices:
            self.schedule_system_mail(message_id, now())

    def wake(self) -> None:
        """Wake snoozed messages that are due. Separate from `sweep`, so that a slow mail server does not delay sending."""
        with db.connection_context():
            snooze.sweep(self.settings)

    def ask_directory(self) -> None:
        """Disable the accounts of people whom the directory no longer has, or ask the administrator about so many. Separate from
        `sweep`, as `wake` is: a directory that is slow delays no mail.
        """
        with db.connection_context(), suppress(ServerAway, TooBusy):  # logged; asked again next time
            found = directory_sweep.look(self.settings)
            directory_sweep.carry_out(found, self.settings)
            if found.doubtful:
                with self.context():
                    asked = directory_letters.ask_about(found, self.settings)
                if asked is not None:
                    self.schedule_system_mail(asked.id, now())

    def pause_app_passwords(self) -> None:
        """Of people whose provider has not vouched for them in a long time. Separate from `sweep`, as `wake` is."""
        with db.connection_context(), self.context():
            warn, tell = (partial(letter, settings=self.settings) for letter in (pause_letters.warn, pause_letters.tell))
            app_password_pause.sweep(self.settings, warn, tell)

    def renew_filters(self) -> None:
        """Write contacts that changed into the filters that ask for them. Separate from `sweep`, as `wake` is."""
        with db.connection_context():
            contact_rules.sweep(self.settings)

    def take_in_snoozed(self) -> None:
        """Let messages that filters snoozed come back in their time. Separate from `sweep`, as `wake` is."""
        with db.connection_context():
            snoozed_arrivals.sweep(self.settings)

    def keep_birthdays(self) -> None:
        """Fill calendars of birthdays, and the index of categories, from the contacts that were there before. Separate from
        `sweep`, as `wake` is.
        """
        with db.connection_context():
            categories.fill()
            birthdays.sweep(self.settings)

    def remind(self) -> None:
        """Remind people of events, and send the agendas of the day that they asked for. Separate from `sweep`, as `wake` is."""
        with db.connection_context(), self.context():
            messages = reminders.sweep(self.settings, calendar_letters.reminder_writer(self.settings))
            messages += daily_agenda.sweep(self.settings, calendar_letters.agenda_writer(self.settings))
        for message_id in messages:
            self.schedule_system_mail(message_id, now())

    def archive(self) -> None:
        """Begin to archive the old messages of those whose turn has come tonight. The tasks do it."""
        with db.connection_context():
            if nights.sweep(self.settings):
                self._wake_runner()

    def ask_other_servers(self) -> None:
        """Synchronise the calendars and contacts that live on other servers too. Separate from `sweep`, as `wake` is."""
        other_servers.sweep(self.settings)

    def fetch_calendars(self) -> None:
        """Fetch the subscribed calendars whose turn it is. Separate from `sweep`, as `wake` is."""
        subscribed_rounds.sweep(self.settings)

    def clear_calendars(self) -> None:
        """Delete large calendars that are hidden already. Separate from `sweep`, as `wake` is."""
        with db.connection_context():
            leaving.sweep()

    def send_with_files(self) -> None:
        """Send messages that waited for large files, once these are there."""
        with db.connection_context():
            ready = link_gate.arrived()
        for outbox_id in ready:
            self.schedule(outbox_id, now())

    def keep_transfers(self) -> None:
        """Write the letters about large files that are due, end what is past its date, delete what is over. Separate from
        `sweep`, as `wake` is: a storage that is slow delays no mail.
        """
        with db.connection_context(), self.context():
            additions.sweep()
            messages = letters.sweep(self.settings)
        for message_id in messages:
            self.schedule_system_mail(message_id, now())
        with db.connection_context():
            store.sweep(self.settings, _DELETING)
            if heartbeat.claim_periodic("clean-up of transfers", _CLEAN_UP_EVERY):
                download_codes.expire()
                requests.sweep(self.settings)
            if heartbeat.claim_periodic("stray pieces of files", _DAY):
                content.sweep_strays(self.settings)

    def check_files(self) -> None:
        """Check the large files that are whole, one at a time; another worker takes others meanwhile."""
        with db.connection_context():
            while check_queue.check_next(self.settings):
                additions.settle_all()

    def put_drafts(self) -> None:
        """Put drafts that are kept here only into the Drafts folders. Separate from `sweep`, as `wake` is."""
        with db.connection_context(), self.context():
            kept_drafts.put_due(self.settings, partial(account_of, settings=self.settings))

    def _wake_runner(self) -> None:
        if self._task_process:
            self._task_process.wake()

    def work(self, workers: int = WORKERS) -> None:
        """Run until SIGTERM or SIGINT; messages being sent are finished first, tasks at their next step.

        There may be several such processes: each message, task and periodic job is done by one of them. Sweeps at the start,
        and again once the leases of a killed worker have expired.
        """
        worker, stopping = heartbeat.new_worker(), threading.Event()
        self._task_process = TaskProcess(lambda: TaskRunner(KINDS, self.settings, worker))
        self._task_process.start()
        looks: list[Callable[[], None]] = [
            partial(_periodic, "sweep", self.sweep),
            partial(_periodic, "wake", self.wake),
            partial(_periodic, "drafts", self.put_drafts, kept_drafts.EVERY),
            partial(_periodic, "messages with files", self.send_with_files, link_gate.EVERY),
            partial(_periodic, "birthdays", self.keep_birthdays),
            partial(_periodic, "leaving calendars", self.clear_calendars),
            partial(_periodic, "reminders", self.remind, reminders.EVERY),
            partial(_periodic, "transfers", self.keep_transfers, _TRANSFERS_EVERY),  # those of before end, even if it is off now
        ]
        if self.settings.other_dav_servers:
            looks.append(self.ask_other_servers)  # by all workers: each account is claimed by one
        if self.settings.calendar_subscriptions:
            looks.append(self.fetch_calendars)  # by all workers, as well
        if self.settings.transfers.on:
            looks.append(self.check_files)  # by all workers: each file is leased by one
        if self.settings.token_key_file:
            looks.append(partial(_periodic, "archiving", self.archive, nights.EVERY))
        if self.settings.sieve is not None:
            looks.append(partial(_periodic, "filters", self.renew_filters))
            looks.append(partial(_periodic, "snoozed arrivals", self.take_in_snoozed, snoozed_arrivals.EVERY))
        if self.settings.ldap is not None:
            looks.append(partial(_periodic, "directory", self.ask_directory, directory_sweep.EVERY))
        if self.settings.oidc or self.settings.cas is not None or self.settings.proxy_sign_in is not None:
            looks.append(partial(_periodic, "app passwords", self.pause_app_passwords, app_password_pause.EVERY))
        looks.append(self._task_process.watch)
        rounds = [(heartbeat.EVERY, partial(_beat, worker, now())), *((_LOOK_EVERY, look) for look in looks)]
        loops = [threading.Thread(target=_repeat, args=(stopping, *one), daemon=True) for one in rounds]
        self.sweep()
        self._sweep.schedule(delay=LEASE.total_seconds() + 2)
        for loop in loops:
            loop.start()
        consumer = self.huey.create_consumer(
            workers=workers, worker_type="thread", initial_delay=0.1, backoff=1.2, max_delay=_POLL_SECONDS, graceful_signal="TERM"
        )
        try:
            consumer.run()
        finally:
            stopping.set()
            self._task_process.stop()
            with suppress(*DATABASE_AWAY), db.connection_context():
                heartbeat.gone(worker)
        self._task_process.begin_again_if_broken()


def _queue(file: str) -> SqliteHuey:
    try:
        return SqliteHuey("traboule", filename=file, results=False, fsync=False)
    except sqlite3.Error as error:
        raise ConfigError(f"jobs_file {file} can't be used ({error}): move it away, and another will be made") from error


def _patient(work: Callable[..., None]) -> Callable[..., None]:
    """The work, or a line in the log while the database can't be used: a sweep finds what is left."""

    @wraps(work)
    def tried(*arguments: Any) -> None:
        try:
            work(*arguments)
        except DATABASE_AWAY as error:
            log.warning("%s waits: the database %s", work.__name__, advice(error))

    return tried


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


def _beat(worker: str, started: datetime) -> None:
    with db.connection_context():
        heartbeat.beat(worker, started)


def _periodic(name: str, do: Callable[[], None], every: timedelta = _PERIOD) -> None:
    with db.connection_context():
        due = heartbeat.claim_periodic(name, every)
    if due:
        do()


def build(settings: Settings, account_for: Callable[[Outbox], Account] | None = None) -> Jobs:
    """The job queue of this instance; `account_for` gives the mail account for an outbox row (default: `account_of`)."""
    return Jobs(settings, account_for or (lambda row: account_of(row, settings)))


def account_of(row: Outbox | DraftRow, settings: Settings) -> Account:
    """The account an outbox row is sent from, or a draft is of: with our token, else the password sealed in the row. Raises
    SignInRefused.
    """
    address = row.user.address
    if not row.user.active:  # disabled since it was written
        raise SignInRefused(f"{address} is disabled")
    try:
        if settings.token_key_file:
            return preferences.with_roles(settings.account(address), row.user)
        if row.credential is None:
            raise SignInRefused(f"{row.id} has no credential")
        password = vault.open_for_outbox(row.credential, settings.secret_key, row.user.id)
        return preferences.with_roles(settings.account(address, password=password), row.user)
    except (vault.CannotOpen, ConfigError) as error:
        raise SignInRefused(str(error)) from error


def work(app: Flask) -> None:
    """The worker of `flask jobs`, in the foreground."""
    jobs: Jobs = app.extensions["jobs"]
    jobs.context = app.app_context
    jobs.work()
