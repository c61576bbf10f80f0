"""Local storage: files in folders on disk, and the mark that tells such a folder from a mount point without its file system."""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
import stat
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TypeVar

from webmail.config import ownership
from webmail.storage.interface import (
    CHUNK,
    MARK,
    PART_OF_NAME,
    FileGoneError,
    StorageAwayError,
    StorageFullError,
    StoredFile,
    check_name,
)

_UNFINISHED = re.compile(r"\.[0-9a-f]{16}\.new")
_UNFINISHED_SECONDS = 3600  # without another byte: whoever wrote it was killed
_TRIES = 5

T = TypeVar("T")


def _nothing_named() -> bool:
    return False


@dataclass(frozen=True)
class LocalStorage:
    """Files below one folder, that all processes see; on several machines a shared file system.

    Its mark tells the folder from a mount point. Without it, it is ours if it holds names that only we give (`ours`: files of
    earlier versions); else the first file makes it ours, unless somebody knows of others in it (`named`), which are away then.
    """

    root: Path
    ours: re.Pattern[str] | None = None
    named: Callable[[], bool] = _nothing_named

    def put(self, name: str, chunks: Iterable[bytes], *, sync: bool = True) -> int:
        target, size = self._file(name), 0
        with self._errors(name):
            self._take_folder()
            written, out = _begin(target)
        try:
            for chunk in chunks:
                with self._errors(name):
                    out.write(chunk)
                size += len(chunk)
            with self._errors(name):
                out.flush()
                if sync:
                    os.fsync(out.fileno())
                out.close()
                os.replace(written, target)
                written = target
                if sync:
                    _sync(target.parent)
        except BaseException:
            with suppress(OSError):  # closing tries to write the rest
                out.close()
            self._remove(written)
            raise
        return size

    def sync(self, names: Iterable[str]) -> None:
        files = {name: self._file(name) for name in names}
        for name, file in files.items():
            with self._errors(name):
                _sync(file)
        for folder in {file.parent for file in files.values()}:
            with self._errors(folder.name):
                _sync(folder)

    def copy(self, name: str, new: str) -> None:
        source, target = self._file(name), self._file(new)
        with self._errors(name):
            self._take_folder()
            source.stat()
            try:
                _in_its_folder(target, lambda: os.link(source, target))
            except OSError:  # a file system without hard links
                self.put(new, self.get(name))
            else:
                _sync(target.parent)

    def get(self, name: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        with self._errors(name):
            file = open(self._file(name), "rb")  # noqa: SIM115 - closed by the iterator
            file.seek(start)
        return self._pieces(file, name, length)

    def about(self, name: str) -> StoredFile:
        with self._errors(name):
            about = self._file(name).stat()
            if not stat.S_ISREG(about.st_mode):
                raise FileNotFoundError(errno.ENOENT, "not a file")
        return StoredFile(name, about.st_size, time.time() - about.st_mtime)

    def size(self, name: str) -> int:
        return self.about(name).size

    def exists(self, name: str) -> bool:
        try:
            self.about(name)
        except FileGoneError:
            return False
        return True

    def delete(self, name: str) -> None:
        target = self._file(name)
        with suppress(FileGoneError), self._errors(name):
            target.unlink()
        self._remove(target)

    def delete_all(self, prefix: str) -> None:
        folder = self._file(prefix)
        self._look()
        with self._errors(prefix), suppress(FileNotFoundError):
            shutil.rmtree(folder)

    def list(self, prefix: str = "", *, nested: bool = True) -> Iterator[StoredFile]:
        top = self._file(prefix) if prefix else self.root
        self._look()
        for file in _files_in(top, nested):
            with suppress(FileGoneError):  # deleted at this moment
                yield self.about(file.relative_to(self.root).as_posix())

    def path(self, name: str) -> Path | None:
        return self._file(name)

    def _file(self, name: str) -> Path:
        check_name(name)
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

    def _remove(self, file: Path) -> None:
        """Delete a file, and the folders that are empty without it. What is in the way stays."""
        with suppress(OSError):
            file.unlink(missing_ok=True)
            for folder in list(file.parents)[: len(file.relative_to(self.root).parents) - 1]:
                folder.rmdir()

    @contextmanager
    def _errors(self, name: str) -> Iterator[None]:
        """OSErrors as kinds of MailError: gone, full, or away for now."""
        try:
            with _disk_errors(name):
                yield
        except StorageAwayError as error:
            if not isinstance(error.__cause__, FileNotFoundError | NotADirectoryError | IsADirectoryError):
                raise
            if self._is_marked() or not (self.root.exists() or self.named()):
                raise FileGoneError(f"no file {name}") from error
            raise self._lost_mark() from error

    def _is_marked(self) -> bool:
        mark = self.root / MARK
        if os.path.exists(mark):
            return True
        if self.ours is None or not any(self.ours.fullmatch(name) for name in _names(self.root)):
            return False
        with suppress(OSError):  # next time
            ownership.make_empty(mark, 0o600)
        return True

    def _look(self) -> None:
        """Raises StorageAwayError where files are known of that can't be seen."""
        if not self._is_marked() and self.named():
            raise self._lost_mark()

    def _lost_mark(self) -> StorageAwayError:
        return StorageAwayError(
            f"{self.root} has none of our files: mount it or, if they are lost for good, create {self.root / MARK}"
        )

    def _take_folder(self) -> None:
        """Make the folder ours before something is put into it. Raises StorageAwayError, OSError."""
        if not self._is_marked():
            self._look()
            ownership.make_folder(self.root, 0o700)
            ownership.make_empty(self.root / MARK, 0o600)


def _begin(target: Path) -> tuple[Path, IO[bytes]]:
    """A new file in the target's folder, open to its owner only and listed nowhere."""
    fresh = target.with_name(f".{secrets.token_hex(8)}.new")
    return fresh, _in_its_folder(fresh, lambda: open(ownership.make_file(fresh, 0o600), "wb"))


def _in_its_folder(file: Path, make: Callable[[], T]) -> T:
    """Make a file together with its folder, which may be removed at this moment with the last file in it."""
    for _ in range(_TRIES):
        with suppress(FileNotFoundError):
            _make_folder(file.parent)
            return make()
    raise OSError(errno.EAGAIN, "its folder is removed again and again")


def _make_folder(folder: Path) -> None:
    try:
        ownership.make_folder(folder, 0o700)
    except FileExistsError:  # also when it was there, and removed before Python looked whether it is a folder
        if folder.exists() and not folder.is_dir():
            raise


def _files_in(folder: Path, nested: bool) -> Iterator[Path]:
    """The files with names that we give, others' are none of ours; what was left half written is removed on the way."""
    for file, is_folder in _entries(folder):
        if _UNFINISHED.fullmatch(file.name):
            with suppress(OSError):
                if file.stat().st_mtime < time.time() - _UNFINISHED_SECONDS:
                    file.unlink()
        elif PART_OF_NAME.fullmatch(file.name):
            if not is_folder:
                yield file
            elif nested:
                yield from _files_in(file, nested)


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _entries(folder: Path) -> list[tuple[Path, bool]]:
    with _disk_errors(folder.name), suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder) as found:
        return [(Path(entry.path), entry.is_dir(follow_symlinks=False)) for entry in found]
    return []


def _sync(path: Path) -> None:
    """fsync a file's content or a folder's entries: a new file is durable only once both are synced."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def temporary_file(chunks: Iterable[bytes], folder: str, in_memory: int) -> Iterator[IO[bytes]]:
    """The chunks as a file for this block: in memory up to `in_memory` bytes, else on this machine's disk.

    `folder`: where on the disk. Raises StorageFullError, StorageAwayError, and what `chunks` raises.
    """
    with tempfile.SpooledTemporaryFile(max_size=in_memory, dir=folder) as file:
        for chunk in chunks:
            with _disk_errors("a temporary file"):
                file.write(chunk)
        yield file


@contextmanager
def _disk_errors(name: str) -> Iterator[None]:
    """OSErrors of this machine's disk: it is full, or away for now."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFullError(f"{name} can't be written: {error.strerror}") from error
        raise StorageAwayError(f"{name}: {error.strerror}") from error
