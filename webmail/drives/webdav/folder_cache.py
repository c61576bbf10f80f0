"""Folder cache: large folders that were read a moment ago, so that their next page is not the whole of them again.

A WebDAV server has no pages: it tells all of a folder, of 10,000 files in a second or more. Each process keeps a few of them for
a minute. Only further pages are taken from here: the first one is always asked for.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict

from webmail.drives.drive import PAGE
from webmail.drives.webdav.listing import WholeFolder

SECONDS = 60.0
MOST_ROWS = 60_000  # of all folders together: some 40 MB

CacheKey = tuple[str, int, int, str]  # address, connection, how often its secret was written, folder


class FolderCache:
    """Keeps what is larger than a page; the oldest goes first."""

    def __init__(self, most_rows: int = MOST_ROWS, seconds: float = SECONDS) -> None:
        self._most, self._seconds = most_rows, seconds
        self._lock = threading.Lock()
        self._kept: OrderedDict[CacheKey, tuple[float, WholeFolder]] = OrderedDict()

    def get(self, key: CacheKey) -> WholeFolder | None:
        with self._lock:
            until, found = self._kept.get(key, (0.0, None))
            return found if until > time.monotonic() else None

    def put(self, key: CacheKey, whole: WholeFolder) -> None:
        with self._lock:
            self._kept.pop(key, None)
            now = time.monotonic()
            if PAGE < len(whole.rows) <= self._most:
                self._kept[key] = (now + self._seconds, whole)
            while self._kept and self._is_too_much(now):
                self._kept.popitem(last=False)

    def forget(self, key: CacheKey) -> None:
        """Where something in it was changed from here."""
        with self._lock:
            self._kept.pop(key, None)

    def _is_too_much(self, now: float) -> bool:
        oldest, _whole = next(iter(self._kept.values()))
        return oldest <= now or sum(len(one.rows) for _until, one in self._kept.values()) > self._most


FOLDERS = FolderCache()
