"""Job queue: wakes a worker early for what the database says is to be done. `webmail/jobs.py` is the worker's side."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from pathlib import Path
from typing import Any

from huey import SqliteHuey

from webmail.config.settings import ConfigError
from webmail.database.connection import DATABASE_AWAY, advice
from webmail.models import now

log = logging.getLogger(__name__)

_FAR = timedelta(minutes=2)
_MODULE = "webmail.jobs"  # in the names of what waits, also of before an update


class JobQueue:
    """`schedule...` and `wake_tasks` are for whoever wrote what is to be done. The worker has a queue that does it."""

    def __init__(self, file: str) -> None:
        """Raises ConfigError where the file can't be used."""
        Path(file).parent.mkdir(parents=True, exist_ok=True)
        self.huey = _queue(file)
        self._deliver = self._task("deliver", _patient(self.deliver))
        self._deliver_system = self._task("deliver_system_mail", _patient(self.deliver_system_mail))
        self._sweep = self._task("sweep_soon", _patient(self.sweep))
        self._tasks = self._task("tasks_soon", self.wake_runner)

    def _task(self, name: str, work: Callable[..., None]) -> Any:
        """Huey names what waits after the module of its function: the worker must find what pages have put there."""

        @wraps(work)
        def done(*arguments: Any) -> None:
            work(*arguments)

        done.__module__ = _MODULE
        return self.huey.task(name=name)(done)

    def deliver(self, outbox_id: int) -> None:
        raise NotImplementedError

    def deliver_system_mail(self, message_id: int) -> None:
        raise NotImplementedError

    def sweep(self) -> None:
        raise NotImplementedError

    def wake_runner(self) -> None:
        raise NotImplementedError

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
