"""Database connection: opens the peewee database of a `database_url`, and the proxy (`db`) that the tables are bound to."""

from __future__ import annotations

import os
import sqlite3
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import peewee as pw
from playhouse.db_url import connect, register_database

from webmail.config import ownership
from webmail.database import shared_file, trouble
from webmail.database.trouble import UNUSABLE_STATES, DatabaseTrouble, state_of
from webmail.errors import EnglishText as _l


class Postgresql(pw.PostgresqlDatabase):
    """PostgreSQL text can't contain NUL, and rejects statements with it: NULs are removed from all string parameters."""

    def execute_sql(self, sql: str, params: Any = None, *more: Any, **options: Any) -> Any:
        if params:
            params = [value.replace("\0", "") if isinstance(value, str) else value for value in params]
        try:
            return super().execute_sql(sql, params, *more, **options)
        except (pw.InternalError, pw.ProgrammingError) as error:
            if state_of(_of_library(error)) in UNUSABLE_STATES:
                raise pw.OperationalError(_of_library(error), *error.args) from error
            raise


_OPENING = 5.0  # seconds


class Sqlite(pw.SqliteDatabase):
    """SQLite that can be opened by many processes at once: while one of them turns a new file to WAL mode the others are refused
    at once, whatever their busy timeout.

    A file that was removed or replaced is noticed (`reopen_if_moved`), and never made anew: writing on into a file without a
    name would lose everything at the next start. That the file is damaged is an OperationalError, as is a full disk.
    """

    _state: Any  # of peewee: this thread's connection

    def connect(self, reuse_if_open: bool = False) -> bool:
        with _damage_told():
            return bool(super().connect(reuse_if_open))

    def execute_sql(self, sql: str, params: Any = None) -> Any:
        """As of peewee. A transaction that SQLite itself has rolled back, as on a full disk, takes no more statements."""
        if self._state.transactions and not self._state.conn.in_transaction:
            if sql.startswith("ROLLBACK"):
                return None  # saying that there is none would hide why
            raise pw.OperationalError("the transaction was rolled back")
        try:
            return super().execute_sql(sql, params)
        except pw.DatabaseError as error:
            raise _told(error) from error

    def commit(self) -> Any:
        with _damage_told():
            return super().commit()

    def rollback(self) -> Any:
        """Nothing where SQLite has done it by itself."""
        return super().rollback() if self.connection().in_transaction else None

    def reopen_if_moved(self) -> None:
        """Close this thread's connection if its file is no longer the one of that name: the next query opens the new one."""
        if not self.is_closed() and self._state.file != _identity(self.database) and not self.in_transaction():
            self.close()

    def _connect(self) -> sqlite3.Connection:
        self._state.file = _identity(self.database)
        if self._state.file is None:
            raise _missing(self.database)
        end = time.monotonic() + _OPENING
        while True:
            try:
                connection: sqlite3.Connection = super()._connect()  # type: ignore[misc]
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() > end:
                    raise
                time.sleep(0.02)
            else:
                return connection


@contextmanager
def _damage_told() -> Iterator[None]:
    try:
        yield
    except pw.DatabaseError as error:
        raise _told(error) from error


def _told(error: pw.DatabaseError) -> pw.DatabaseError:
    """The error as a kind that says the database can't be used: sqlite3 has none for a damaged file."""
    return pw.OperationalError(_of_library(error), *error.args) if type(error) is pw.DatabaseError else error


def _of_library(error: pw.DatabaseError) -> Exception | None:
    """The error that peewee's stands for."""
    return getattr(error, "orig", None)


def _identity(database: str) -> tuple[int, int] | None:
    """What tells the file from another one of its name; None if there is none."""
    file = _file_of(database)
    if not file:
        return (0, 0)
    try:
        about = os.stat(file)
    except OSError:
        return None
    return about.st_dev, about.st_ino


def _file_of(database: str) -> str:
    """The path in a name that SQLite opens; "" for a database in memory."""
    file = database.removeprefix("file:").partition("?")[0]
    return "" if file in ("", ":memory:") or "mode=memory" in database else file


def _missing(database: str) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError(f"{_file_of(database)} is missing")
    error.sqlite_errorcode = sqlite3.SQLITE_CANTOPEN
    return error


register_database(Postgresql, "postgres", "postgresql")
register_database(Sqlite, "sqlite")


def connect_url(url: str, **options: Any) -> Any:
    """The database of an address, in which user and password may hold %40 and the like."""
    return connect(url, unquote_user=True, unquote_password=True, **options)


LOCK_PATIENCE = 5_000  # milliseconds that a query waits for a lock
db = pw.DatabaseProxy()
# unreachable, locked for too long, full, read-only, damaged or missing (see trouble.py); sqlite3's own: met while rows are read
DATABASE_AWAY = (pw.OperationalError, pw.InterfaceError, sqlite3.DatabaseError)


def open_database(url: str) -> pw.Database:
    """Bind the tables to a database. It waits up to 5 s for a lock; SQLite syncs each commit, so that "saved" is true."""
    options: dict[str, Any] = {}
    if url.startswith("postgres"):  # which would wait for ever
        given = dict(parse_qsl(urlsplit(url).query))
        options["connect_timeout"] = given.get("connect_timeout", 5)
        options["options"] = f"-c lock_timeout={LOCK_PATIENCE} {given.get('options', '')}".rstrip()
    if url.startswith("sqlite"):
        if file := sqlite_file(url):
            _make_private(Path(file))
            shared_file.prepare(Path(file))
        # transactions take the write lock at once and wait for it: one that reads first and writes later would fail without
        # waiting (SQLITE_BUSY) if somebody else wrote in between
        options["lock_type"] = "IMMEDIATE"
        options["pragmas"] = {"journal_mode": "wal", "busy_timeout": LOCK_PATIENCE, "foreign_keys": 1, "synchronous": "full"}
    database: pw.Database = connect_url(url, **options)
    db.initialize(database)
    return database


def reopen_if_moved() -> None:
    """Let go of an SQLite file that was removed or replaced since this thread opened it. One system call."""
    if isinstance(db.obj, Sqlite):
        db.obj.reopen_if_moved()


@contextmanager
def thread_connection() -> Iterator[None]:
    """This thread's connection, for what is done beside a request: opened where it is closed, and left as it was."""
    if not db.is_closed():
        yield
        return
    with db.connection_context():
        yield


def sqlite_file(url: str) -> str:
    """The path of the file of an address of SQLite; "" for another database, or one in memory."""
    return _file_of(url.removeprefix("sqlite:///").partition("?")[0]) if url.startswith("sqlite") else ""


def advice(error: BaseException) -> str:
    """What is wrong with "the database", and what to do: the rest of an English sentence for administrators."""
    perhaps_shut_out = trouble.trouble_of(error) in (DatabaseTrouble.MISSING, DatabaseTrouble.READ_ONLY)
    if perhaps_shut_out and isinstance(db.obj, Sqlite) and (words := shared_file.shut_out(Path(_file_of(db.obj.database)))):
        return _l("can’t be used: %(why)s", why=words)
    return trouble.advice(error)


def _make_private(file: Path) -> None:
    """Create the database file for its owner only (0600), or also its group if the umask allows group writes (0660), for Dovecot.

    SQLite gives its -wal and -shm files the same mode. If the file can't be created, SQLite will report it.
    """
    with suppress(OSError):  # usually FileExistsError
        descriptor = ownership.make_file(file, 0o660)
        try:
            if not os.fstat(descriptor).st_mode & stat.S_IWGRP:
                os.fchmod(descriptor, 0o600)
        finally:
            os.close(descriptor)
