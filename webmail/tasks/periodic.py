"""Periodic work: what an area has the worker do again and again. Its `work.py` says what, `webmail/jobs.py` does it.

When each is due: `timetable.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import peewee as pw

from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.tasks.kinds import TaskKind


@dataclass(frozen=True, slots=True)
class PeriodicRun:
    """What periodic work gets to see of the worker that does it."""

    settings: Settings
    context: Callable[[], AbstractContextManager[Any]]
    deliver: Callable[[Iterable[int]], None]  # rows of the outbox that are due
    deliver_system_mail: Callable[[Iterable[int]], None]
    wake_tasks: Callable[[], None]

    @contextmanager
    def mailing(self) -> Iterator[None]:
        """With the database, and with what writing letters takes."""
        with db.connection_context(), self.context():
            yield


@dataclass(frozen=True, slots=True)
class Periodic:
    """One kind of periodic work: of all workers one does it, each time that `every` is over, where `only_if` holds.

    `by_all`: all workers do it each time, since what is to be done is claimed piece by piece.
    `pending`: queries that find whether there is anything to do; where none does, it is not begun, but once an hour. Work that
    is done several times a minute has it, so that a worker at rest asks one question for all (`timetable.py`).
    """

    name: str  # of its row in `periodic_jobs`, unless all do it
    do: Callable[[PeriodicRun], object]
    every: timedelta = timedelta(minutes=1)
    only_if: Callable[[Settings], Any] = lambda _settings: True
    by_all: bool = False
    pending: Callable[[Settings], Iterable[pw.Query]] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaWork:
    """All that the worker does for an area. `clean_up` and `expire`: once an hour."""

    kinds: tuple[TaskKind, ...] = ()
    periodic: tuple[Periodic, ...] = ()
    clean_up: tuple[Callable[[Settings], object], ...] = ()
    expire: tuple[Callable[[], object], ...] = ()


def swept(sweep: Callable[[Settings], object]) -> Callable[[PeriodicRun], None]:
    """Work that needs nothing but the database."""

    def do(run: PeriodicRun) -> None:
        with db.connection_context():
            sweep(run.settings)

    return do
