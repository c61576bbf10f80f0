"""Database connection: opens the peewee database of a `database_url`, and the proxy (`db`) that the tables are bound to."""

from __future__ import annotations

import os
import sqlite3
import stat
import time
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import peewee as pw
from playhouse.db_url import connect, register_database


class Postgresql(pw.PostgresqlDatabase):
    """PostgreSQL text can't contain NUL, and rejects statements with it: NULs are removed from all string parameters."""

    def execute_sql(self, sql: str, params: Any = None, *more: Any, **options: Any) -> Any:
        if params:
            params = [value.replace("\0", "") if isinstance(value, str) else value for value in params]
        return super().execute_sql(sql, params, *more, **options)


_OPENING = 5.0  # seconds


class Sqlite(pw.SqliteDatabase):
    """SQLite that can be opened by many processes at once: while one of them turns a new file to WAL mode the others are refused
    at once, whatever their busy timeout.
    """

    def _connect(self) -> sqlite3.Connection:
        end = time.monotonic() + _OPENING
        while True:
            try:
                connection: sqlite3.Connection = super()._connect()
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() > end:
                    raise
                time.sleep(0.02)
            else:
                return connection


register_database(Postgresql, "postgres", "postgresql")
register_database(Sqlite, "sqlite")


def connect_url(url: str, **options: Any) -> Any:
    """The database of an address, in which user and password may hold %40 and the like."""
    return connect(url, unquote_user=True, unquote_password=True, **options)


db = pw.DatabaseProxy()
DATABASE_AWAY = (pw.OperationalError, pw.InterfaceError)  # unreachable, locked for too long, or disk full


def open_database(url: str) -> pw.Database:
    """Bind the tables to a database. It waits up to 5 s for a lock; SQLite syncs each commit, so that "saved" is true."""
    options: dict[str, Any] = {}
    if url.startswith("postgres"):  # which would wait for ever
        given = dict(parse_qsl(urlsplit(url).query))
        options["connect_timeout"] = given.get("connect_timeout", 5)
        options["options"] = f"-c lock_timeout=5000 {given.get('options', '')}".rstrip()
    if url.startswith("sqlite"):
        _make_private(url.removeprefix("sqlite:///").partition("?")[0])
        # transactions take the write lock at once and wait for it: one that reads first and writes later would fail without
        # waiting (SQLITE_BUSY) if somebody else wrote in between
        options["lock_type"] = "IMMEDIATE"
        options["pragmas"] = {"journal_mode": "wal", "busy_timeout": 5_000, "foreign_keys": 1, "synchronous": "full"}
    database: pw.Database = connect_url(url, **options)
    db.initialize(database)
    return database


def _make_private(file: str) -> None:
    """Create the database file for its owner only (0600), or also its group if the umask allows group writes (0660), for Dovecot.

    SQLite gives its -wal and -shm files the same mode. If the file can't be created, SQLite will report it.
    """
    if file in ("", ":memory:"):
        return
    with suppress(OSError):  # usually FileExistsError
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o660)
        try:
            if not os.fstat(descriptor).st_mode & stat.S_IWGRP:
                os.fchmod(descriptor, 0o600)
        finally:
            os.close(descriptor)
