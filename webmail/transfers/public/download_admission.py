"""Admission of downloads: few of a process at once, since each holds a thread, and none for ever. No Flask here."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from functools import cache

from webmail.admission import Admission, AdmissionRefusedError, AdmittedPlace
from webmail.config import services
from webmail.config.settings import Settings
from webmail.errors import MailError

SLICE = 64 * 1024  # bytes handed on at once: the last are counted only when those before them were taken
_LOOK = 60.0  # seconds of waiting for the reader, then it is looked at how much was taken
_LEAST = 64 * 1024  # bytes in that time
_LEAST_IF_CROWDED = 32 * 1024 * 60  # while others are turned away; what is broken off can be resumed
_STALLED = 5.0  # seconds in which a reader took nothing
_MEASURED = 10.0  # seconds of waiting for a reader that tell how slow it is

_lock = threading.RLock()  # reentrant: the garbage collector may give back a place at any moment
_reading: set[Download] = set()  # those that others displaced included: each holds its thread until its reader takes something


class ReaderTooSlowError(MailError):
    """The reader takes less than it costs to keep a thread for it, or others need that thread."""

    status = 408


class Download:
    """A download that was admitted; give its place back once."""

    def __init__(self, admitted: AdmittedPlace) -> None:
        self.place = admitted
        self._waited, self._taken = 0.0, 0  # seconds for the reader, and bytes, since it was looked
        self._since: float | None = None  # when the slice was handed on that is being taken

    def give_back(self) -> None:
        """Idempotent."""
        self.place.leave()
        with _lock:
            _reading.discard(self)

    def hands_on(self) -> None:
        self._since = time.monotonic()

    def took(self, count: int) -> None:
        """The slice was taken. Raises ReaderTooSlowError where whoever reads took almost nothing, or little while others are
        turned away, or somebody else has the place.
        """
        now = time.monotonic()
        self._waited += now - self._since if self._since is not None else 0.0
        self._since = None
        self._taken += count
        if not self.place.held:
            raise ReaderTooSlowError("somebody else has the place")
        if self._waited >= _LOOK:
            crowded = now - self.place.admission.last_refused < _LOOK
            if self._taken < (_LEAST_IF_CROWDED if crowded else _LEAST) * self._waited / _LOOK:
                raise ReaderTooSlowError(f"{self._taken} bytes in {self._waited:.0f} s")
            self._waited, self._taken = 0.0, 0

    def stalls(self, now: float) -> float:
        """For how many seconds it has done nothing for anybody; 0.0 while its reader takes enough."""
        still = now - self._since if self._since is not None else 0.0
        waited = self._waited + still
        is_slow = waited > _MEASURED and self._taken < _LEAST_IF_CROWDED * waited / _LOOK
        return max(still, waited if is_slow else 0.0) if is_slow or still > _STALLED else 0.0


@cache
def _downloads(most: int) -> Admission:
    return Admission(most, of_one=max(1, most // 4), of_one_network=max(1, most * 3 // 4))


def take(network: str, settings: Settings, person: str = "") -> Download | None:
    """A place among those of this process, of which one network has three quarters at most; None where there is none.

    `person`: whose program reads, which has a quarter; "" for visitors of links. Who reads nothing, or next to nothing, makes
    room for others of their network, or of all where all places are taken.
    """
    most = services.places(settings.service, settings.transfers.downloads_at_once)
    admission, now = _downloads(most), time.monotonic()
    with _lock:
        try:
            place = admission.enter(person, network)
        except AdmissionRefusedError as refused:
            if person and admission.held(person) >= admission.of_one:
                return None  # nobody else's place would help
            those = [one for one in _reading if one.place.held and (not refused.own or one.place.network == network)]
            slowest = max(those, key=lambda one: one.stalls(now), default=None)
            displaced = sum(not one.place.held for one in _reading)
            if slowest is None or not slowest.stalls(now) or displaced >= max(1, most // 2):
                return None
            slowest.place.leave()
            place = admission.enter(person, network)
        _reading.add(found := Download(place))
        return found


def running() -> int:
    return len(_reading)


def sliced(pieces: Iterator[bytes], download: Download) -> Iterator[bytes]:
    """The bytes in slices. Only the time counts that the reader takes, not that of the storage.

    Raises ReaderTooSlowError (`Download.took`).
    """
    for piece in pieces:
        view = memoryview(piece)
        for at in range(0, len(view), SLICE):
            part = bytes(view[at : at + SLICE])
            download.hands_on()
            yield part
            download.took(len(part))
