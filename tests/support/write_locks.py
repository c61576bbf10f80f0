"""Write locks: how long SQLite's is held, since others' autosaves wait for as long."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from webmail.database.connection import Sqlite

_WRITES = ("INSERT", "UPDATE", "DELETE")


@contextmanager
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """The seconds that each transaction, and each write by itself, computed under the lock within this block, as they come.

    Of this thread alone: whatever else a machine does counts for nothing.
    """
    times: list[float] = []
    since = [0.0]
    begin, commit, rollback, execute = Sqlite.begin, Sqlite.commit, Sqlite.rollback, Sqlite.execute_sql

    def begun(self, *args):
        begin(self, *args)
        since[0] = time.thread_time()

    def ended(end):
        def wrapped(self):
            found = end(self)
            times.append(time.thread_time() - since[0])
            return found

        return wrapped

    def executed(self, sql, params=None):
        alone, start = not self.in_transaction(), time.thread_time()
        found = execute(self, sql, params)
        if alone and sql.lstrip().upper().startswith(_WRITES):
            times.append(time.thread_time() - start)
        return found

    with monkeypatch.context() as patch:
        patch.setattr(Sqlite, "begin", begun)
        patch.setattr(Sqlite, "commit", ended(commit))
        patch.setattr(Sqlite, "rollback", ended(rollback))
        patch.setattr(Sqlite, "execute_sql", executed)
        yield times
