"""Storage: files of the application that are not mail, under names, wherever they are kept; today in folders on disk.

A name is made of parts with slashes, each of letters, digits, dots, hyphens and underscores ("results/3f2a/export.mbox"). What is
written under a name is never changed, only deleted. `open_storage(settings)` gives the one of this instance; object storage (S3)
would be another class with these methods.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from webmail.config import Settings
from webmail.errors import MailError

CHUNK = 256 * 1024
_MARK = ".traboule-storage"
_NAME = re.compile(r"(?:[A-Za-z0-9_-][A-Za-z0-9._-]{0,150}/){0,6}[A-Za-z0-9_-][A-Za-z0-9._-]{0,150}")


class FileGone(MailError):
    """There is no file of this name (any more); trying again does not help."""

    status = 410


class StorageAway(MailError):
    """The storage can't be reached or read at the moment: nothing is said about the file. Trying again may help."""

    status = 503


class StorageFull(MailError):
    """There is no room for the file; nothing of it was kept."""

    status = 507


@dataclass(frozen=True, slots=True)
class StoredFile:
    """`size` in bytes, `age` in seconds since it was written."""

    name: str
    size: int
    age: float


class Storage(Protocol):
    """Every method raises StorageAway; ValueError for what is no name."""

    def put(self, name: str, chunks: Iterable[bytes]) -> int:
        """Keep a file, durably when this returns; returns its size. Raises StorageFull, and what `chunks` raises: nothing is
        left behind then. A name that is taken already gets the new content.
        """

    def get(self, name: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """The bytes from `start` on, `length` of them at most, in pieces. Raises FileGone, before the first piece."""

    def size(self, name: str) -> int:
        """Raises FileGone."""

    def exists(self, name: str) -> bool: ...

    def delete(self, name: str) -> None:
        """No error where there is none."""

    def delete_all(self, prefix: str) -> None:
        """Delete what lies below a prefix."""

    def list(self, prefix: str) -> Iterator[StoredFile]:
        """What lies below a prefix ("results/3f2a"), in no order."""

    def path(self, name: str) -> Path | None:
        """The file on this machine's disk, for what can read only that; None where it is elsewhere."""


class LocalStorage:
    """Files below one folder, that all processes see; on several machines a shared file system."""

    def __init__(self, root: str | Path) -> None:
        """A root that is not there yet is made. One that has lost its mark is a file system that is not mounted: see `_gone`."""
        self.root = Path(root)
        self._mark = self.root / _MARK
        with suppress(OSError):  # told when it is used
            if not self.root.exists():
                self.root.mkdir(parents=True, mode=0o700)
                self._mark.touch(mode=0o600)

    def put(self, name: str, chunks: Iterable[bytes]) -> int:
        target = self._file(name)
        fresh = target.with_name(f".{secrets.token_hex(8)}.new")
        size = 0
        with self._errors(name):
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._mark.touch(mode=0o600, exist_ok=True)
            try:
                with open(fresh, "xb") as out:
                    for chunk in chunks:
                        out.write(chunk)
                        size += len(chunk)
                    out.flush()
                    os.fsync(out.fileno())
                os.replace(fresh, target)
            except BaseException:
                fresh.unlink(missing_ok=True)
                raise
            _sync_folder(target.parent)
        return size

    def get(self, name: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        with self._errors(name):
            file = open(self._file(name), "rb")  # noqa: SIM115 - closed by the iterator
            file.seek(start)
        return self._pieces(file, name, length)

    def size(self, name: str) -> int:
        with self._errors(name):
            return self._file(name).stat().st_size

    def exists(self, name: str) -> bool:
        try:
            self.size(name)
        except FileGone:
            return False
        return True

    def delete(self, name: str) -> None:
        target = self._file(name)
        with suppress(FileGone), self._errors(name):
            target.unlink()
        for folder in list(target.parents)[: len(Path(name).parents) - 1]:
            with suppress(OSError):  # others lie in it
                folder.rmdir()

    def delete_all(self, prefix: str) -> None:
        with self._errors(prefix), suppress(FileNotFoundError):
            shutil.rmtree(self._file(prefix))

    def list(self, prefix: str) -> Iterator[StoredFile]:
        top, now = self._file(prefix), time.time()
        if not self._mark.exists():
            raise self._gone(prefix)
        for folder, _folders, files in os.walk(top):
            for file in files:
                if file == _MARK or file.endswith(".new"):
                    continue
                with suppress(FileNotFoundError):  # deleted at this moment
                    about = Path(folder, file).stat()
                    yield StoredFile(str(Path(folder, file).relative_to(self.root)), about.st_size, now - about.st_mtime)

    def path(self, name: str) -> Path | None:
        return self._file(name)

    def _file(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name for a file")
        return self.root / name

    def _pieces(self, file: IO[bytes], name: str, length: int | None) -> Iterator[bytes]:
        with file:
            left = length
            while left is None or left > 0:
                with self._errors(name):
                    piece = file.read(CHUNK if left is None else min(CHUNK, left))
                if not piece:
                    return
                left = None if left is None else left - len(piece)
                yield piece

    @contextmanager
    def _errors(self, name: str) -> Iterator[None]:
        """OSErrors as kinds of MailError: gone, full, or away for now."""
        try:
            yield
        except (FileNotFoundError, NotADirectoryError) as error:
            raise self._gone(name) from error
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise StorageFull(f"{name} can't be written: {error.strerror}") from error
            raise StorageAway(f"{name}: {error.strerror}") from error

    def _gone(self, name: str) -> MailError:
        """The file is gone; or all of them are away, because the file system that held them is not mounted."""
        return FileGone(f"no file {name}") if self._mark.exists() else StorageAway(f"{self.root} is not the storage it was")


def open_storage(settings: Settings) -> Storage:
    """The storage of this instance: results of tasks and files on their way to one."""
    return LocalStorage(Path(settings.instance, "storage"))


def _sync_folder(folder: Path) -> None:
    """A new name in a folder is durable once the folder is synced."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
