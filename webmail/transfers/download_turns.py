"""Turns of downloads: few of a process at once, since each holds a thread, and none for ever. No Flask here."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator

from webmail import pages_first
from webmail.errors import MailError

SLICE = 64 * 1024  # bytes handed on at once: the last are counted only when those before them were taken
_WORK = 0.001  # seconds of a processor after which pages go first
_MOST_WORK = 0.05  # seconds: more than a piece takes is no measure of what was done
_LOOK = 60.0  # seconds of waiting for the reader, then it is looked at how much was taken
_LEAST = 64 * 1024  # bytes in that time
_LEAST_IF_CROWDED = 32 * 1024 * 60  # while others are turned away; what is broken off can be resumed

_lock = threading.RLock()  # reentrant: the garbage collector may give back a turn at any moment
_running: Counter[str] = Counter()
_refused: list[float] = [0.0]  # when somebody was turned away last


class ReaderTooSlow(MailError):
    """The reader takes less than it costs to keep a thread for it."""

    status = 408


class DownloadTurn:
    """A turn of a network; give it back once."""

    def __init__(self, network: str) -> None:
        self._network = network
        self._held = True

    def give_back(self) -> None:
        """Idempotent."""
        with _lock:
            if self._held:
                self._held = False
                _running[self._network] -= 1
                if not _running[self._network]:
                    del _running[self._network]


def take(network: str, most: int) -> DownloadTurn | None:
    """A turn among the `most` of this process, of which one network has three quarters at most; None where there is none."""
    with _lock:
        if _running.total() >= most or _running[network] >= max(1, most * 3 // 4):
            if not _running[network]:
                del _running[network]
            _refused[0] = time.monotonic()
            return None
        _running[network] += 1
        return DownloadTurn(network)


def running() -> int:
    with _lock:
        return _running.total()


def paced(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The bytes in slices, few while pages are asked for.

    Raises ReaderTooSlow where whoever reads takes almost nothing, or little while others are turned away. Only the time
    counts that the reader takes, not that of the storage.
    """
    waited, taken = 0.0, 0
    rested = time.thread_time()
    for piece in pieces:
        view = memoryview(piece)
        for at in range(0, len(view), SLICE):
            if not 0.0 <= (worked := time.thread_time() - rested) <= _WORK:  # less than 0 in another thread
                pages_first.SENDING.worked(min(max(worked, 0.0), _MOST_WORK))
                rested = time.thread_time()
            part = bytes(view[at : at + SLICE])
            before = time.monotonic()
            yield part
            waited, taken = waited + time.monotonic() - before, taken + len(part)
            if waited >= _LOOK:
                crowded = time.monotonic() - _refused[0] < _LOOK
                if taken < (_LEAST_IF_CROWDED if crowded else _LEAST) * waited / _LOOK:
                    raise ReaderTooSlow(f"{taken} bytes in {waited:.0f} s")
                waited, taken = 0.0, 0
