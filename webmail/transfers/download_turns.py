"""Turns of downloads: few of a process at once, since each holds a thread, and none for ever. No Flask here."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

from webmail import pages_first
from webmail.errors import MailError

SLICE = 64 * 1024  # bytes handed on at once: the last are counted only when those before them were taken
_WORK = 0.001  # seconds of a processor after which pages go first
_MOST_WORK = 0.05  # seconds: more than a piece takes is no measure of what was done
_LOOK = 60.0  # seconds of waiting for the reader, then it is looked at how much was taken
_LEAST = 64 * 1024  # bytes in that time
_LEAST_IF_CROWDED = 32 * 1024 * 60  # while others are turned away; what is broken off can be resumed

_STALLED = 5.0  # seconds in which a reader took nothing
_MEASURED = 10.0  # seconds of waiting for a reader that tell how slow it is

_lock = threading.RLock()  # reentrant: the garbage collector may give back a turn at any moment
_running: set[DownloadTurn] = set()
_displaced: set[DownloadTurn] = set()  # others have their turns; each holds its thread until its reader takes something, or goes
_refused: list[float] = [0.0]  # when somebody was turned away last


class ReaderTooSlow(MailError):
    """The reader takes less than it costs to keep a thread for it, or others need that thread."""

    status = 408


class DownloadTurn:
    """A turn of a network; give it back once."""

    def __init__(self, network: str) -> None:
        self.network = network
        self.is_over = False  # somebody else has it
        self._waited, self._taken = 0.0, 0  # seconds for the reader, and bytes, since it was looked
        self._since: float | None = None  # when the slice was handed on that is being taken

    def give_back(self) -> None:
        """Idempotent."""
        with _lock:
            _running.discard(self)
            _displaced.discard(self)

    def hands_on(self) -> None:
        self._since = time.monotonic()

    def took(self, count: int) -> None:
        """The slice was taken. Raises ReaderTooSlow where whoever reads took almost nothing, or little while others are turned
        away, or somebody else has the turn.
        """
        now = time.monotonic()
        self._waited += now - self._since if self._since is not None else 0.0
        self._since = None
        self._taken += count
        if self.is_over:
            raise ReaderTooSlow("somebody else has the turn")
        if self._waited >= _LOOK:
            crowded = now - _refused[0] < _LOOK
            if self._taken < (_LEAST_IF_CROWDED if crowded else _LEAST) * self._waited / _LOOK:
                raise ReaderTooSlow(f"{self._taken} bytes in {self._waited:.0f} s")
            self._waited, self._taken = 0.0, 0

    def stalls(self, now: float) -> float:
        """For how many seconds it has done nothing for anybody; 0.0 while its reader takes enough."""
        still = now - self._since if self._since is not None else 0.0
        waited = self._waited + still
        is_slow = waited > _MEASURED and self._taken < _LEAST_IF_CROWDED * waited / _LOOK
        return max(still, waited if is_slow else 0.0) if is_slow or still > _STALLED else 0.0


def take(network: str, most: int) -> DownloadTurn | None:
    """A turn among the `most` of this process, of which one network has three quarters at most; None where there is none.

    Who reads nothing, or next to nothing, makes room for others of their network, or of all where all turns are taken.
    """
    now, share = time.monotonic(), max(1, most * 3 // 4)
    with _lock:
        theirs = {turn for turn in _running if turn.network == network}
        full = theirs if len(theirs) >= share else _running if len(_running) >= most else None
        if full is not None:
            stalled = max(full, key=lambda turn: turn.stalls(now))
            if not stalled.stalls(now) or len(_displaced) >= max(1, most // 2):
                _refused[0] = now
                return None
            _running.discard(stalled)
            _displaced.add(stalled)
            stalled.is_over = True
        turn = DownloadTurn(network)
        _running.add(turn)
        return turn


def running() -> int:
    with _lock:
        return len(_running) + len(_displaced)


def paced(pieces: Iterator[bytes], turn: DownloadTurn) -> Iterator[bytes]:
    """The bytes in slices, few while pages are asked for.

    Raises ReaderTooSlow (`DownloadTurn.took`). Only the time counts that the reader takes, not that of the storage.
    """
    rested = time.thread_time()
    for piece in pieces:
        view = memoryview(piece)
        for at in range(0, len(view), SLICE):
            if not 0.0 <= (worked := time.thread_time() - rested) <= _WORK:  # less than 0 in another thread
                pages_first.SENDING.worked(min(max(worked, 0.0), _MOST_WORK))
                rested = time.thread_time()
            part = bytes(view[at : at + SLICE])
            turn.hands_on()
            yield part
            turn.took(len(part))
