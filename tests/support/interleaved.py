"""Two transactions at once on PostgreSQL, the first stopped where a test wants it, until the second is done or waits for it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask import Flask

from tests.support import calendar_ground as ground
from tests.support.postgresql import fresh_database, server_url
from tests.support.waiting import eventually
from webmail.database.connection import Postgresql, db

_SOON = "&options=-c%20deadlock_timeout%3D10ms"  # else a test that fails takes a second


@contextmanager
def application(folder: Path, **settings: object) -> Iterator[Flask]:
    """On a database of its own."""
    if not server_url():
        pytest.skip("no PostgreSQL here")
    with fresh_database() as url, ground.application(folder, database_url=url + _SOON, **settings) as made:
        yield made


def at_once(monkeypatch: pytest.MonkeyPatch, first: Callable[[], object], after: str, second: Callable[[], object]) -> None:
    """Have `second` begin once `first` has done the statement that begins with `after`. Raises what either of them does."""
    here, go_on, stopped = threading.local(), threading.Event(), threading.Event()
    whose: list[int] = []
    real = Postgresql.execute_sql

    def execute(self, sql, *more, **options):
        found = real(self, sql, *more, **options)
        if getattr(here, "first", False) and sql.startswith(after) and not stopped.is_set():
            stopped.set()
            assert go_on.wait(30)
        return found

    def begin() -> None:
        with db.connection_context():
            here.first = True
            try:
                first()
            finally:
                stopped.set()

    def follow() -> None:
        with db.connection_context():
            whose.append(db.execute_sql("SELECT pg_backend_pid()").fetchone()[0])
            second()

    def waits() -> bool:
        if following.done():
            return True
        lock = "SELECT count(*) FROM pg_stat_activity WHERE pid = %s AND wait_event_type = 'Lock'"
        return bool(whose) and db.execute_sql(lock, (whose[0],)).fetchone()[0] == 1

    monkeypatch.setattr(Postgresql, "execute_sql", execute)
    with ThreadPoolExecutor(2) as threads:
        beginning = threads.submit(begin)
        try:
            assert stopped.wait(30) and not beginning.done(), f"nothing begins with {after!r}"
            following = threads.submit(follow)
            eventually(waits, 30)
        finally:
            go_on.set()
        beginning.result(30)
        following.result(30)
