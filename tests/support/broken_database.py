"""Broken databases: the ways in which an SQLite file breaks under a running application, made on the file itself."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from webmail.database.connection import db


def full(_file: Path) -> None:
    """No room for one more page, as on a full disk."""
    [(pages,)] = db.execute_sql("PRAGMA page_count").fetchall()
    db.execute_sql(f"PRAGMA max_page_count = {pages}")


def read_only(_file: Path) -> None:
    db.execute_sql("PRAGMA query_only = 1")


def damaged(file: Path) -> None:
    """All but the first page is rubbish."""
    _closed(file)
    with open(file, "r+b") as out:
        out.seek(4096)
        out.write(os.urandom(file.stat().st_size - 4096))


def no_database(file: Path) -> None:
    """Something else stands there."""
    _closed(file)
    file.write_bytes(b"This is a shopping list.\n" * 500)


def removed(file: Path) -> None:
    """Deleted while it is open."""
    for each in file.parent.glob(f"{file.name}*"):
        each.unlink()


FAULTS: dict[str, Callable[[Path], None]] = {
    each.__name__: each for each in (full, read_only, damaged, no_database, removed)
}  # fmt: skip


def _closed(file: Path) -> None:
    """With all of it in the one file."""
    db.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    db.close()
    for each in ("-wal", "-shm"):
        file.with_name(file.name + each).unlink(missing_ok=True)
