"""SQLite without waiting for the disk: a process that is killed loses nothing by that, and nobody pulls the plug of a test.

Said before all else: what makes a file's journal waits for the disk too, twice for each application.
"""

from __future__ import annotations

import sqlite3
from functools import cache
from typing import Any

_OFF = "PRAGMA synchronous = off"


@cache
def tables() -> None:
    """Traboule's own tables."""
    from webmail.database.connection import Sqlite

    connect, set_pragmas = Sqlite._connect, Sqlite._set_pragmas

    def set_after(self: Sqlite, connection: sqlite3.Connection) -> None:
        connection.execute(_OFF).close()
        set_pragmas(self, connection)

    def connect_without_syncing(self: Sqlite) -> sqlite3.Connection:
        connection = connect(self)
        connection.execute(_OFF).close()
        return connection

    Sqlite._set_pragmas = set_after  # type: ignore[method-assign]
    Sqlite._connect = connect_without_syncing  # type: ignore[method-assign]


@cache
def queue() -> None:
    """The worker's file."""
    from huey.storage import SqliteStorage

    set_journal = SqliteStorage._set_journal_mode

    def set_after(self: Any, connection: sqlite3.Connection) -> None:
        connection.execute(_OFF).close()
        set_journal(self, connection)

    SqliteStorage._set_journal_mode = set_after
