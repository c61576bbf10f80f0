"""What is locked and changed of collections, in this order."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from webmail.collections import store


class LockWatch:
    """`unlocked`: collections (by `id`) that were changed before their lock was asked for; `late`: locked after another's change."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.locked: set[int] = set()
        self.unlocked: set[int] = set()
        self.late: set[int] = set()
        self._began = False
        self._lock, self._changed = store.lock, store.changed
        monkeypatch.setattr(store, "lock", self._locking)
        monkeypatch.setattr(store, "changed", self._changing)

    def _locking(self, numbers: Iterable[int]) -> None:
        some = list(numbers)
        if self._began:
            self.late |= set(some) - self.locked
        self.locked |= set(some)
        self._lock(some)

    def _changing(self, collection: int, *, count: int = 0, size: int = 0) -> int:
        self._began = True
        if collection not in self.locked:
            self.unlocked.add(collection)
        return self._changed(collection, count=count, size=size)
