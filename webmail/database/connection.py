"""Database connection: which class of peewee opens a `database_url`, and the one database (`db`) that the tables are bound to."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from typing import Any

import peewee as pw
from playhouse.db_url import connect, register_database


class Postgresql(pw.PostgresqlDatabase):
    """Its texts hold no NUL, and it refuses a statement with one: what has some is stored and looked for without them."""

    def execute_sql(self, sql: str, params: Any = None, *more: Any, **options: Any) -> Any:
        if params:
            params = [value.replace("\0", "") if isinstance(value, str) else value for value in params]
        return super().execute_sql(sql, params, *more, **options)


register_database(Postgresql, "postgres", "postgresql")


def connect_url(url: str, **options: Any) -> Any:
    return connect(url, **options)


db = pw.DatabaseProxy()
DATABASE_AWAY = (pw.OperationalError, pw.InterfaceError)  # not there, locked for too long, or the disk is full


def open_database(url: str) -> pw.Database:
    """Bind the tables to a database. SQLite waits up to 5 s for a lock and syncs each commit, so "saved" is true."""
    options: dict[str, Any] = {}
    if url.startswith("sqlite"):
        _make_private(url.removeprefix("sqlite:///").partition("?")[0])
        # a transaction takes the write lock at once and waits for it: one that begins by reading and writes later is refused
        # without waiting when somebody else wrote in between
        options["lock_type"] = "IMMEDIATE"
        options["pragmas"] = {"journal_mode": "wal", "busy_timeout": 5_000, "foreign_keys": 1, "synchronous": "full"}
    database: pw.Database = connect_url(url, **options)
    db.initialize(database)
    return database


def _make_private(file: str) -> None:
    """A new database is its owner's alone (0600), or its group's too where the umask lets groups write (0660), as Dovecot needs.

    SQLite gives its -wal and -shm files the same mode. A file that can't be made is SQLite's to complain of.
    """
    if file in ("", ":memory:"):
        return
    with suppress(OSError):  # FileExistsError above all
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o660)
        try:
            if not os.fstat(descriptor).st_mode & stat.S_IWGRP:
                os.fchmod(descriptor, 0o600)
        finally:
            os.close(descriptor)
