"""Request slots: limits concurrent requests per user, so that nobody occupies all threads of a process. No Flask here."""

from __future__ import annotations

from collections import Counter
from threading import Lock

# of the 16 or more threads per process (docs/administrator.md). Browsers send up to six requests at once: by themselves with
# HTTP/1.1, and limited by deploy/nginx.conf with HTTP/2
AT_ONCE = 8

_lock = Lock()
_running: Counter[int] = Counter()


class RequestSlot:
    """A slot held by one request of a user."""

    def __init__(self, person: int) -> None:
        self._person = person
        self._held = True

    def give_back(self) -> None:
        """Release the slot. Idempotent: a response may be closed by the server and finalised later."""
        with _lock:
            if self._held:
                self._held = False
                _running[self._person] -= 1
                if not _running[self._person]:
                    del _running[self._person]


def take(person: int) -> RequestSlot | None:
    """A slot for a request of this user (by id), or None if AT_ONCE are taken already."""
    with _lock:
        if _running[person] >= AT_ONCE:
            return None
        _running[person] += 1
    return RequestSlot(person)


def running(person: int) -> int:
    return _running.get(person, 0)
