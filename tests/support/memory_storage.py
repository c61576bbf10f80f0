"""Storage in memory: the interface without any disk, as object storage has it, and away or full when a test says so."""

from __future__ import annotations

import re
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from webmail import storage
from webmail.storage import FileGoneError, StorageArea, StorageAwayError, StorageFullError, StoredFile

_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(?:/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")
_PIECE = 50_000


class MemoryStorage:
    """`away`: every method raises StorageAwayError; `full`: nothing more can be put."""

    def __init__(self) -> None:
        self.files: dict[str, tuple[bytes, float]] = {}
        self.away = self.full = False

    def put(self, name: str, chunks: Iterable[bytes], *, sync: bool = True) -> int:
        self._check(name)
        pieces = []
        for chunk in chunks:
            self._check(name)
            if self.full:
                raise StorageFullError("told to be full")
            pieces.append(chunk)
        self.files[name] = b"".join(pieces), time.time()
        return len(self.files[name][0])

    def sync(self, names: Iterable[str]) -> None:
        for name in names:
            self._found(name)

    def copy(self, name: str, new: str) -> None:
        self._check(new)
        self.files[new] = self._found(name)[0], time.time()

    def get(self, name: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        content = self._found(name)[0]
        return self._pieces(name, content[start:] if length is None else content[start : start + length])

    def about(self, name: str) -> StoredFile:
        content, written = self._found(name)
        return StoredFile(name, len(content), time.time() - written)

    def size(self, name: str) -> int:
        return self.about(name).size

    def exists(self, name: str) -> bool:
        self._check(name)
        return name in self.files

    def delete(self, name: str) -> None:
        self._check(name)
        self.files.pop(name, None)

    def delete_all(self, prefix: str) -> None:
        self._check(prefix)
        for file in list(self.list(prefix)):
            del self.files[file.name]

    def list(self, prefix: str = "", *, nested: bool = True) -> Iterator[StoredFile]:
        self._check(prefix or "all")
        top = f"{prefix}/" if prefix else ""
        for name in [*self.files]:
            if name.startswith(top) and (nested or "/" not in name.removeprefix(top)):
                yield self.about(name)

    def path(self, name: str) -> Path | None:
        self._check(name)
        return None

    def age(self, name: str, seconds: float) -> None:
        """Let a file be older than it is."""
        self.files[name] = self.files[name][0], time.time() - seconds

    def _check(self, name: str) -> None:
        if not _NAME.fullmatch(name) or len(name) > 300:
            raise ValueError(f"{name!r} is no name for a file")
        if self.away:
            raise StorageAwayError("told to be away")

    def _found(self, name: str) -> tuple[bytes, float]:
        self._check(name)
        if name not in self.files:
            raise FileGoneError(f"no file {name}")
        return self.files[name]

    def _pieces(self, name: str, content: bytes) -> Iterator[bytes]:
        for at in range(0, len(content), _PIECE):
            self._check(name)
            yield content[at : at + _PIECE]


def in_memory(monkeypatch: pytest.MonkeyPatch) -> dict[StorageArea, MemoryStorage]:
    """From now on the application keeps its files in memory, an area each."""
    areas: dict[StorageArea, MemoryStorage] = defaultdict(MemoryStorage)
    monkeypatch.setattr(storage, "on_disk", lambda _settings, area: areas[area])
    return areas
