"""Locks: one holder at a time among all threads, processes and machines that share the database.

On PostgreSQL a lock is a session-level advisory lock, held by the thread's connection. On SQLite, whose processes all run on one
machine, it is a `flock` on a file beside the database. Both end by themselves with the process that holds them: there is no
lease to outlive, and a killed holder keeps nobody waiting.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import peewee as pw

from webmail.config import ownership
from webmail.database.connection import DATABASE_AWAY, db
from webmail.models.base import Table

log = logging.getLogger(__name__)

_NAME = re.compile(r"[a-z][a-z0-9-]{0,60}")
_SHORTEST, _LONGEST = 0.002, 0.05  # seconds between two tries


class LockBusyError(Exception):
    """Somebody else held the lock for all the time that one was ready to wait."""


@contextmanager
def lock(name: str, patience: float = 0.0) -> Iterator[None]:
    """Hold the lock of this name (lower-case letters, digits, hyphens), waiting `patience` seconds for it at most.

    Raises LockBusyError, and what DATABASE_AWAY names. On PostgreSQL the database connection must stay open meanwhile (a
    request's does). Costs one query to take and one to give back; on SQLite no query, one system call each. Not to be taken twice
    by one thread.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name for a lock")
    hold = _advisory if isinstance(db.obj, pw.PostgresqlDatabase) else _file
    with hold(name) as take:
        _wait(take, name, patience)
        yield


def serialize(name: str) -> None:
    """Have transactions that begin with this, by the same name, wait for each other. One query on PostgreSQL; none on SQLite,
    where each transaction (BEGIN IMMEDIATE) is the only one that writes.
    """
    if isinstance(db.obj, pw.PostgresqlDatabase):
        db.execute_sql("SELECT pg_advisory_xact_lock(%s)", (_key(name),))


def rows(table: type[Table], *chosen: Any) -> list[int]:
    """The `id`s of these rows, which are locked until the transaction ends. 1 query.

    In the order of their `id`s: two that change several rows of a table wait for one another, instead of each for the other.
    """
    query: Any = table.select(table.id).where(*chosen).order_by(table.id)
    return [number for (number,) in (query.for_update() if isinstance(db.obj, pw.PostgresqlDatabase) else query).tuples()]


def _wait(take: Callable[[], bool], name: str, patience: float) -> None:
    end, pause = time.monotonic() + patience, _SHORTEST
    while not take():
        left = end - time.monotonic()
        if left <= 0:
            raise LockBusyError(name)
        time.sleep(min(pause, left))
        pause = min(pause * 1.5, _LONGEST)


# --- PostgreSQL ------------------------------------------------------------------------------------------------------


@contextmanager
def _advisory(name: str) -> Iterator[Callable[[], bool]]:
    key = _key(name)
    held = False

    def take() -> bool:
        nonlocal held
        held = bool(db.execute_sql("SELECT pg_try_advisory_lock(%s)", (key,)).fetchone()[0])
        return held

    try:
        yield take
    finally:
        if held:
            try:
                db.execute_sql("SELECT pg_advisory_unlock(%s)", (key,))
            except DATABASE_AWAY as error:  # the lock ended with the connection
                log.warning("the lock %s ended with its connection: %s", name, error)


def _key(name: str) -> int:
    return int.from_bytes(hashlib.sha256(b"traboule " + name.encode()).digest()[:8], "big", signed=True)


# --- SQLite ----------------------------------------------------------------------------------------------------------


@contextmanager
def _file(name: str) -> Iterator[Callable[[], bool]]:
    try:
        descriptor = _opened(_folder() / name)
    except OSError as error:
        raise pw.OperationalError(f"the lock {name} can't be opened: {error}") from error

    def take() -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    try:
        yield take
    finally:
        os.close(descriptor)  # ends the lock too


def _folder() -> Path:
    """`locks/` beside the database. A database in memory belongs to one process, whose threads meet in the temporary folder."""
    database = str(db.obj.database).removeprefix("file:").partition("?")[0]
    if database in ("", ":memory:"):
        return Path(os.environ.get("TMPDIR", "/tmp"), f"traboule-locks-{os.getpid()}")  # noqa: S108 - mode 0700, own process
    return Path(database).parent / "locks"


def _opened(file: Path) -> int:
    """A descriptor of its own for each holder."""
    try:
        return os.open(file, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        ownership.make_folder(file.parent, 0o770)
        try:
            return ownership.make_file(file, 0o660)
        except FileExistsError:  # by another process, at this moment
            return os.open(file, os.O_RDWR | os.O_CLOEXEC)
