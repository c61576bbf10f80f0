"""Stored files: read from any position and compared, wherever they are kept, and the room that is left for more."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from typing import IO, Any

from webmail.storage.interface import CHUNK, Storage


def open_file(files: Storage, name: str) -> IO[bytes]:
    """A file to read from any position; the caller closes it. Raises FileGoneError and StorageAwayError, at once or while it is
    read."""
    return io.BufferedReader(_Reader(files, name), 1 << 16)


def same_content(files: Storage, name: str, other: str) -> bool:
    """Whether two files have the same bytes. Raises FileGoneError."""
    with open_file(files, name) as one, open_file(files, other) as two:
        while (piece := one.read(CHUNK)) == two.read(CHUNK):
            if not piece:
                return True
    return False


def free_bytes(files: Storage) -> int | None:
    """Bytes free on the disk of a storage; None where nobody can know, as with object storage."""
    if (place := files.path("room")) is None:
        return None
    with suppress(OSError):
        return shutil.disk_usage(next(folder for folder in place.parents if folder.exists())).free
    return None


class _Reader(io.RawIOBase):
    """A file at a position: reading on takes the next piece, and only a jump asks the storage anew."""

    def __init__(self, files: Storage, name: str) -> None:
        super().__init__()
        self._files, self._name, self._size = files, name, files.size(name)
        self._at, self._rest = 0, memoryview(b"")
        self._pieces: Iterator[bytes] | None = None

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self._pieces is None:
            self._pieces = self._files.get(self._name, self._at)
        while not self._rest and (piece := next(self._pieces, b"")):
            self._rest = memoryview(piece)
        count = min(len(buffer), len(self._rest))
        buffer[:count], self._rest = self._rest[:count], self._rest[count:]
        self._at += count
        return count

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        if at != self._at:
            self._at, self._rest, self._pieces = at, memoryview(b""), None
        return at
