"""Late entries of the audit log: what a locked SQLite file did not take, in a file beside it until the next entry is written.

A file and not the memory: what is in memory is lost when the process ends, which is when one wants to know.
"""

from __future__ import annotations

import fcntl
import json
import os
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import peewee as pw

from webmail.config import ownership
from webmail.database.connection import db

Row = dict[str, Any]  # of `models.AuditEntry`
_LARGEST = 50_000_000  # bytes: tens of thousands of entries


def keep(row: Row) -> bool:
    """Append an entry; False where there is no such file, or no room for it. Raises OSError."""
    if (file := _file()) is None:
        return False
    line = {**row, "at": row["at"].isoformat(), "actor": getattr(row["actor"], "id", None), "number": uuid.uuid4().hex}
    ownership.make_empty(file, 0o660)
    with _held(file) as descriptor:
        if os.lseek(descriptor, 0, os.SEEK_END) > _LARGEST:
            return False
        os.write(descriptor, (json.dumps(line, ensure_ascii=False) + "\n").encode())
        os.fsync(descriptor)
    return True


def are_waiting() -> bool:
    """One system call."""
    file = _file()
    try:
        return file is not None and file.stat().st_size > 0
    except OSError:
        return False


def take_in(write: Callable[[Row, str], None]) -> int:
    """Write all of them, each with its number, in one transaction; returns how many. What fails is kept for the next time.

    `write` gets a number with each, as they may come twice where the machine stopped at the wrong moment.
    Raises OSError and DATABASE_AWAY.
    """
    file = _file()
    if file is None or not file.exists():
        return 0
    with _held(file) as descriptor:
        rows = list(_rows(os.pread(descriptor, 2 * _LARGEST, 0)))
        with db.atomic():
            for row, number in rows:
                write(row, number)
        os.ftruncate(descriptor, 0)
    return len(rows)


def _rows(text: bytes) -> Sequence[tuple[Row, str]]:
    found = []
    for line in text.split(b"\n"):
        try:
            row = json.loads(line)
            row["at"] = datetime.fromisoformat(row["at"])
            found.append((row, row.pop("number")))
        except (ValueError, KeyError, TypeError):  # a line that a full disk cut off
            continue
    return found


def _file() -> Path | None:
    """Beside the SQLite file. PostgreSQL locks rows, and entries are new ones."""
    database = db.obj
    if not isinstance(database, pw.SqliteDatabase):
        return None
    name = str(database.database).removeprefix("file:").partition("?")[0]
    return None if name in ("", ":memory:") else Path(f"{name}-late-audit")


@contextmanager
def _held(file: Path) -> Iterator[int]:
    """The file, open, by one process or thread at a time."""
    descriptor = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)
