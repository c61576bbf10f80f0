"""Trouble with the database, by what can be done about it: for error pages, commands and the doctor."""

from __future__ import annotations

import sqlite3
from enum import StrEnum
from typing import Any

from webmail.errors import EnglishText as _l


class DatabaseTrouble(StrEnum):
    """What keeps the database from being used."""

    AWAY = "away"  # unreachable, or locked for too long: it may pass
    CROSSED = "crossed"  # two transactions waited for each other, and this one was ended: nothing of it was kept
    FULL = "full"
    READ_ONLY = "read-only"
    DAMAGED = "damaged"
    MISSING = "missing"  # its file, or the tables in it


_SQLITE = {  # primary result codes
    sqlite3.SQLITE_FULL: DatabaseTrouble.FULL,
    sqlite3.SQLITE_READONLY: DatabaseTrouble.READ_ONLY,
    sqlite3.SQLITE_CORRUPT: DatabaseTrouble.DAMAGED,
    sqlite3.SQLITE_NOTADB: DatabaseTrouble.DAMAGED,
    sqlite3.SQLITE_IOERR: DatabaseTrouble.DAMAGED,
    sqlite3.SQLITE_CANTOPEN: DatabaseTrouble.MISSING,
}
_POSTGRESQL = {  # SQLSTATE
    "40P01": DatabaseTrouble.CROSSED,  # a deadlock
    "40001": DatabaseTrouble.CROSSED,  # serialization failure
    "53100": DatabaseTrouble.FULL,
    "25006": DatabaseTrouble.READ_ONLY,
    "58030": DatabaseTrouble.DAMAGED,  # I/O error
    "XX001": DatabaseTrouble.DAMAGED,
    "XX002": DatabaseTrouble.DAMAGED,
    "42P01": DatabaseTrouble.MISSING,  # no such table
    "3D000": DatabaseTrouble.MISSING,  # no such database
}
UNUSABLE_STATES = frozenset(state for state, kind in _POSTGRESQL.items() if kind is not DatabaseTrouble.CROSSED)
_ADVICE = {
    DatabaseTrouble.AWAY: _l("can’t be reached, or is locked: is it running? Check database_url"),
    DatabaseTrouble.CROSSED: _l("ended one of two changes that waited for each other: it can be made again"),
    DatabaseTrouble.FULL: _l("has no space left: free up space on its disk"),
    DatabaseTrouble.READ_ONLY: _l("can’t be written: give the file and its folder to the user that runs this application"),
    DatabaseTrouble.DAMAGED: _l(
        "is damaged, or is not a database: stop the services and restore a backup (docs/administrator/backup.md)"
    ),
    DatabaseTrouble.MISSING: _l(
        "can’t be opened or has no tables: check database_url and who owns the file, or restore a backup, then run "
        "`flask --app wsgi migrate`"
    ),
}


def trouble_of(error: BaseException) -> DatabaseTrouble:
    """What an error of the database means (one of DATABASE_AWAY)."""
    each: Any = error
    while isinstance(getattr(each, "orig", None), Exception):  # those of peewee carry that of the library, once or twice
        each = each.orig
    if str(each).startswith("no such table"):
        return DatabaseTrouble.MISSING
    if (code := getattr(each, "sqlite_errorcode", None)) is not None:
        return _SQLITE.get(code & 0xFF, DatabaseTrouble.AWAY)
    return _POSTGRESQL.get(state_of(each), DatabaseTrouble.AWAY)


def state_of(error: BaseException | None) -> str:
    """The SQLSTATE of an error of PostgreSQL; "" if it has none."""
    return str(getattr(error, "sqlstate", None) or getattr(error, "pgcode", None) or "")


def advice(error: BaseException) -> str:
    """What is wrong with "the database", and what to do: the rest of an English sentence for administrators."""
    words = " ".join(str(error.args[-1] if error.args else error).split())
    return _l("%(step)s (%(why)s).", step=_ADVICE[trouble_of(error)], why=words.rstrip("."))
