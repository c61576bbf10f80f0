"""Request slots: limits concurrent requests per user, so that nobody occupies all threads of a process. No Flask here."""

from __future__ import annotations

from collections import Counter
from threading import Lock

# of the 16 or more threads per process (docs/administrator.md). Browsers send up to six requests at once: by themselves with
# HTTP/1.1, and limited by deploy/nginx.conf with HTTP/2
AT_ONCE = 8
# what scripts fetch ahead, a message and a page of a list, counts by itself and takes no place of what somebody waits for. It is
# refused while half of those are taken: a page that nobody has asked for must not make them slower either
AHEAD_AT_ONCE = 2
_BUSY = AT_ONCE // 2

_lock = Lock()
_running: Counter[int] = Counter()
_ahead: Counter[int] = Counter()


class RequestSlot:
    """A slot held by one request of a user."""

    def __init__(self, person: int, among: Counter[int] = _running) -> None:
        self._person = person
        self._among = among
        self._held = True

    def give_back(self) -> None:
        """Release the slot. Idempotent: a response may be closed by the server and finalised later."""
        with _lock:
            if self._held:
                self._held = False
                self._among[self._person] -= 1
                if not self._among[self._person]:
                    del self._among[self._person]


def take(person: int) -> RequestSlot | None:
    """A slot for a request of this user (by id), or None if AT_ONCE are taken already."""
    with _lock:
        if _running[person] >= AT_ONCE:
            return None
        _running[person] += 1
    return RequestSlot(person)


def take_ahead(person: int) -> RequestSlot | None:
    """A slot for what this user has not opened yet, or None if it might slow down what they have."""
    with _lock:
        if _running.get(person, 0) >= _BUSY or _ahead.get(person, 0) >= AHEAD_AT_ONCE:
            return None
        _ahead[person] += 1
    return RequestSlot(person, _ahead)


def running(person: int) -> int:
    return _running.get(person, 0)


def running_ahead(person: int) -> int:
    return _ahead.get(person, 0)
