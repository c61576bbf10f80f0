"""How many requests of one person this process answers at once, so that nobody has all its threads. No Flask here."""

from __future__ import annotations

from collections import Counter
from threading import Lock

# of the 16 or more threads of a process (docs/administrator.md). A browser asks six things at once: over HTTP/1.1 by itself,
# over HTTP/2 because deploy/nginx.conf says so
AT_ONCE = 8

_lock = Lock()
_running: Counter[int] = Counter()


class RequestSlot:
    """One request of one person under way."""

    def __init__(self, person: int) -> None:
        self._person = person
        self._held = True

    def give_back(self) -> None:
        """Once is enough, twice does no harm: an answer may be closed by the server, and forgotten later."""
        with _lock:
            if self._held:
                self._held = False
                _running[self._person] -= 1
                if not _running[self._person]:
                    del _running[self._person]


def take(person: int) -> RequestSlot | None:
    """A turn for a person's request, or None when they have `AT_ONCE` already."""
    with _lock:
        if _running[person] >= AT_ONCE:
            return None
        _running[person] += 1
    return RequestSlot(person)


def running(person: int) -> int:
    return _running.get(person, 0)
