"""Storage interface: what every kind of storage does, and how it fails."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from webmail.errors import MailError

CHUNK = 256 * 1024
MARK = ".traboule-storage"  # no name of a file: it tells that a folder or bucket holds ours
PART_OF_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,150}")
_NAME = re.compile(rf"(?:{PART_OF_NAME.pattern}/){{0,6}}{PART_OF_NAME.pattern}")


class FileGoneError(MailError):
    """There is no file of this name (any more); trying again does not help."""

    status = 410


class StorageAwayError(MailError):
    """The storage can't be reached or read at the moment: nothing is said about the file. Trying again may help."""

    status = 503


class StorageFullError(MailError):
    """There is no room for the file; nothing of it was kept."""

    status = 507


@dataclass(frozen=True, slots=True)
class StoredFile:
    """`size` in bytes, `age` in seconds since it was written."""

    name: str
    size: int
    age: float


class Storage(Hashable, Protocol):
    """Every method raises StorageAwayError; ValueError for what is no name."""

    def put(self, name: str, chunks: Iterable[bytes], *, sync: bool = True) -> int:
        """Keep a file, durably when this returns (without `sync`: when `sync()` does); returns its size.

        Raises StorageFullError, and what `chunks` raises: nothing is left behind then. A name that is taken already gets the new
        content.
        """

    def sync(self, names: Iterable[str]) -> None:
        """Make durable what was put without `sync`: cheaper for several files at once. Raises FileGoneError, StorageFullError."""

    def copy(self, name: str, new: str) -> None:
        """Keep a file under another name too, durably when this returns. Raises FileGoneError, StorageFullError."""

    def get(self, name: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """The bytes from `start` on, `length` of them at most, in pieces. Raises FileGoneError, before the first piece."""

    def about(self, name: str) -> StoredFile:
        """Raises FileGoneError."""

    def size(self, name: str) -> int:
        """Raises FileGoneError."""

    def exists(self, name: str) -> bool: ...

    def delete(self, name: str) -> None:
        """No error where there is none."""

    def delete_all(self, prefix: str) -> None:
        """Delete what lies below a prefix."""

    def list(self, prefix: str = "", *, nested: bool = True) -> Iterator[StoredFile]:
        """What lies below a prefix ("results/3f2a"; "": everything), in no order. Without `nested`: only directly below it."""

    def path(self, name: str) -> Path | None:
        """The file on this machine's disk, for what can read only that; None where it is elsewhere."""


def check_name(name: str) -> None:
    """Raises ValueError for what is no name: no name leaves its area."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name for a file")
