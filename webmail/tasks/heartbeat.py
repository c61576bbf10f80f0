"""Heartbeat: which workers are alive, and periodic work that one of them does, whatever their number."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

import peewee as pw

from webmail.database.connection import db
from webmail.database.prepared import Prepared
from webmail.models import PeriodicJob, Task, TaskState, Worker, now

EVERY = timedelta(seconds=30)  # each writes a row and its index: most of what a worker at rest writes
SILENT = timedelta(seconds=75)  # a worker that was not seen for so long is dead
NEGLECTED = timedelta(minutes=2)  # a task that nobody took for so long, while nobody works on another


def new_worker() -> str:
    return secrets.token_hex(16)


def beat(worker: str, started: datetime) -> None:
    """Say that this worker is alive. One query; two the first time."""
    row = {"host": socket.gethostname()[:190], "process": os.getpid(), "started": started, "seen": now()}
    if not Worker.update(seen=row["seen"]).where(Worker.id == worker).execute():
        Worker.insert(id=worker, **row).on_conflict_ignore().execute()


def expire() -> None:
    """Forget the workers that have been dead for a day. One query."""
    Worker.delete().where(Worker.seen < now() - timedelta(days=1)).execute()


def gone(worker: str) -> None:
    """This worker stops in good order: at once it no longer counts as alive, and when it was is still known."""
    Worker.update(seen=now() - SILENT).where(Worker.id == worker).execute()


_latest = Prepared(lambda _slot: Worker.select(Worker.seen).order_by(Worker.seen.desc()).limit(1))


def last_seen() -> datetime | None:
    """When any worker was last alive (UTC, naive); None if none ever was. One SELECT."""
    latest = _latest.first()
    return latest.seen if latest else None


def is_alive(seen: datetime | None) -> bool:
    return seen is not None and seen > now() - SILENT


def tasks_are_left() -> bool:
    """Whether nobody does tasks: no worker is alive, or what is due waits though none runs (a worker does them in a process of
    its own, which may be dead). At most three SELECTs.
    """
    if not is_alive(last_seen()):
        return True
    due = (Task.state == TaskState.WAITING) & (Task.due < now() - NEGLECTED)
    left = (Task.state == TaskState.RUNNING) & (Task.lease < now() - NEGLECTED)  # its worker died, and no other took it over
    at_work = Task.select().where((Task.state == TaskState.RUNNING) & (Task.lease >= now()))
    return Task.select().where(due | left).exists() and not at_work.exists()


_begun = Prepared(lambda _slot: PeriodicJob.select(PeriodicJob.name, PeriodicJob.begun))


def claim_due(periods: Mapping[str, timedelta]) -> tuple[set[str], dict[str, timedelta]]:
    """The work among these that is due, claimed for this worker as by `claim_periodic`, and how long until each may be due again.
    One SELECT, an UPDATE for each that is due, in one transaction."""
    at, begun = now(), {row.name: row.begun for row in _begun()}
    due = [name for name, every in periods.items() if name not in begun or begun[name] <= at - every]
    claimed: set[str] = set()
    if due:
        with db.atomic():
            claimed = {name for name in due if claim_periodic(name, periods[name])}
    return claimed, {name: every if name in due else begun[name] + every - at for name, every in periods.items()}


def found(queries: Mapping[str, Iterable[pw.Query]]) -> set[str]:
    """The names of which one of the queries finds a row. One SELECT for all of them."""
    several = [(name, query) for name, own in queries.items() for query in own]
    (row,) = pw.Select(columns=[pw.fn.EXISTS(query) for _name, query in several]).tuples().execute(db)
    return {name for (name, _query), found in zip(several, row, strict=True) if found}


def claim_periodic(name: str, every: timedelta) -> bool:
    """Whether it is time for this work and nobody else has begun it: one UPDATE decides among all workers."""
    due = (PeriodicJob.name == name) & (PeriodicJob.begun <= now() - every)
    if PeriodicJob.update(begun=now()).where(due).execute():
        return True
    if PeriodicJob.select().where(PeriodicJob.name == name).exists():
        return False
    try:
        with db.atomic():
            PeriodicJob.create(name=name, begun=now())
    except pw.IntegrityError:  # another worker made the row at this moment
        return False
    return True


def note(name: str) -> None:
    """Periodic work that nobody here begins by themselves, such as a backup, was done now."""
    PeriodicJob.insert(name=name, begun=now()).on_conflict(
        conflict_target=[PeriodicJob.name], preserve=[PeriodicJob.begun]
    ).execute()


def note_broken(name: str, error: Exception) -> None:
    """Periodic work has just failed: what kind of error it was, since its words may be about somebody. Two queries at most."""
    row = {"broke": now(), "reason": type(error).__name__[:200]}
    if not PeriodicJob.update(row).where(PeriodicJob.name == name).execute():  # work that each worker does has no row
        PeriodicJob.insert(name=name, begun=row["broke"], **row).on_conflict_ignore().execute()


def broken() -> list[PeriodicJob]:
    """The work whose last time failed, by name. One SELECT."""
    return list(PeriodicJob.select().where(PeriodicJob.broke >= PeriodicJob.begun).order_by(PeriodicJob.name))


def last_done(name: str) -> datetime | None:
    row = PeriodicJob.get_or_none(PeriodicJob.name == name)
    return row.begun if row else None
