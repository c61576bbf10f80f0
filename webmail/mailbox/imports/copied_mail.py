"""Copied mail: a file that knows which messages of old mailboxes were copied, where they lie here, and with which flags.

By it a later copy brings the difference alone: nothing comes back that its person moved or deleted here meanwhile. Whoever loses
it loses no more than that: what still lies in its folder is known by its content.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

_TABLES = """
CREATE TABLE IF NOT EXISTS copied (
  mailbox INTEGER NOT NULL, folder TEXT NOT NULL, validity INTEGER NOT NULL, uid INTEGER NOT NULL, flags TEXT NOT NULL,
  into_folder TEXT NOT NULL, into_validity INTEGER NOT NULL, into_uid INTEGER NOT NULL,
  PRIMARY KEY (mailbox, folder, validity, uid)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS mailboxes (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS folders (mailbox INTEGER NOT NULL, folder TEXT NOT NULL, PRIMARY KEY (mailbox, folder)) WITHOUT ROWID;
"""
_AT_ONCE = 5_000  # messages whose flags are compared


class CopiedMailError(Exception):
    """The file can't be used, for the reason in words."""


@dataclass(frozen=True, slots=True)
class CopiedMessage:
    """`uid` there, with the flags it had when it was looked at last; where it was put here (`into_uid` 0: not known)."""

    uid: int
    flags: tuple[str, ...]
    into_folder: str
    into_validity: int
    into_uid: int


class CopiedMail:
    """The open file, of one command at a time. Raises CopiedMailError."""

    def __init__(self, file: Path) -> None:
        self._lock = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # SQLite's own locks are of another kind (fcntl), and one process that closes the file loses those alone
            self._database = sqlite3.connect(file, isolation_level=None)
            self._database.executescript(_TABLES)
        except BlockingIOError as error:
            os.close(self._lock)
            raise CopiedMailError("another command is copying with it") from error
        except sqlite3.Error as error:
            os.close(self._lock)
            raise CopiedMailError(str(error)) from error

    def close(self) -> None:
        self._database.close()
        os.close(self._lock)

    def mailbox(self, name: str) -> MailboxCopy:
        """What was copied of one mailbox into another; `name` tells both."""
        self._database.execute("INSERT OR IGNORE INTO mailboxes (name) VALUES (?)", (name,))
        return MailboxCopy(
            self._database, int(self._database.execute("SELECT number FROM mailboxes WHERE name = ?", (name,)).fetchone()[0])
        )


class MailboxCopy:
    """One person's part of the file."""

    def __init__(self, database: sqlite3.Connection, number: int) -> None:
        self._database, self._number = database, number

    def uids(self, folder: str, validity: int) -> set[int]:
        """Those copied. What was noted under another UIDVALIDITY is forgotten: these numbers mean other messages now."""
        self._database.execute(
            "DELETE FROM copied WHERE mailbox = ? AND folder = ? AND validity <> ?", (self._number, folder, validity)
        )
        rows = self._database.execute(
            "SELECT uid FROM copied WHERE mailbox = ? AND folder = ? AND validity = ?", (self._number, folder, validity)
        )
        return {row[0] for row in rows}

    def note(self, folder: str, validity: int, messages: Iterable[CopiedMessage]) -> None:
        """All or none."""
        rows = [
            (self._number, folder, validity, one.uid, " ".join(one.flags), one.into_folder, one.into_validity, one.into_uid)
            for one in messages
        ]
        self._database.execute("BEGIN IMMEDIATE")
        self._database.executemany("INSERT OR REPLACE INTO copied VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
        self._database.execute("COMMIT")

    def messages(self, folder: str, validity: int) -> Iterator[list[CopiedMessage]]:
        """In order, some thousands at a time; they may be noted anew meanwhile."""
        after = 0
        while rows := self._database.execute(
            "SELECT uid, flags, into_folder, into_validity, into_uid FROM copied"
            " WHERE mailbox = ? AND folder = ? AND validity = ? AND uid > ? ORDER BY uid LIMIT ?",
            (self._number, folder, validity, after, _AT_ONCE),
        ).fetchall():
            yield [CopiedMessage(row[0], tuple(row[1].split()), *row[2:]) for row in rows]
            after = rows[-1][0]

    def is_new(self, folder: str) -> bool:
        """Whether no copy has seen this folder to its end yet."""
        found = self._database.execute("SELECT 1 FROM folders WHERE mailbox = ? AND folder = ?", (self._number, folder))
        return found.fetchone() is None

    def note_folder(self, folder: str) -> None:
        self._database.execute("INSERT OR IGNORE INTO folders VALUES (?, ?)", (self._number, folder))
