"""Backup: a copy of the SQLite database while others read and write, with what its write-ahead log holds, in one file."""

from __future__ import annotations

import os
import secrets
import sqlite3
from contextlib import closing
from pathlib import Path

import peewee as pw

from webmail.config import ownership
from webmail.database.connection import db

_PATIENCE = 30.0  # seconds for a lock


class NoBackupError(Exception):
    """The copy could not be made, for the reason in words; a file of its name is as it was."""


def copy_to(file: Path) -> int:
    """Copy the database into a file of its owner's alone, replacing one that is there; returns its size in bytes.

    Nobody waits for it. The copy is examined (`quick_check`) and on disk when this returns. Raises NoBackupError.
    """
    if not isinstance(db.obj, pw.SqliteDatabase):
        raise NoBackupError("the database is no file of SQLite: copy it with pg_dump")
    if not os.path.isdir(file.parent):
        raise NoBackupError(f"{file} was not written: there is no folder {file.parent}")
    if os.path.isdir(file):
        raise NoBackupError(f"{file} was not written: it is a folder")
    fresh = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    try:
        os.close(ownership.make_file(fresh, 0o600))
        try:
            _copy(str(db.obj.database), fresh)
            with open(fresh, "rb") as written:
                os.fsync(written.fileno())
            fresh.replace(file)
        finally:
            fresh.unlink(missing_ok=True)
    except (OSError, sqlite3.Error) as error:
        reason = str(getattr(error, "strerror", None) or error)  # without the number, and the name of a file that nobody chose
        raise NoBackupError(f"{file} was not written: {reason[:1].lower()}{reason[1:]}") from error
    return file.stat().st_size


def _copy(database: str, fresh: Path) -> None:
    if not Path(database).exists():  # else an empty one would be made, and copied
        raise FileNotFoundError(f"{database} is missing")
    with closing(sqlite3.connect(database, timeout=_PATIENCE)) as source, closing(sqlite3.connect(fresh)) as copy:
        source.backup(copy)
        copy.execute("PRAGMA journal_mode = delete").fetchall()  # all of it in the one file
        [(found,), *_more] = copy.execute("PRAGMA quick_check").fetchall()
        if found != "ok":
            raise sqlite3.DatabaseError(f"the database is damaged ({found})")
