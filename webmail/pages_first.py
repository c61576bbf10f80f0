"""Pages first: what moves large files lets the pages that people wait for go before it, in this process. No Flask here.

Python runs one thread at a time: a page that asks the mail server a dozen things would stand behind eight uploads a dozen times,
and these would keep all processors busy besides.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

LONGEST = 0.05  # seconds that anything waits for pages in one go: however many are asked for, files move on
_PAGE = 1.0  # seconds: what takes longer waits for something itself, such as a form that comes slowly
_LATELY = 1.0  # seconds after the beginning of a page, in which the next one is likely

_change = threading.Condition()
_pages: dict[int, float] = {}  # thread -> when its page was begun
_last_begun = -_LATELY


def begun() -> None:
    """A page is being made in this thread."""
    global _last_begun
    with _change:
        _last_begun = _pages[threading.get_ident()] = time.monotonic()


def ended() -> None:
    """It is made. Idempotent."""
    with _change:
        if _pages.pop(threading.get_ident(), None) is not None and not _pages:
            _change.notify_all()


def give_way(longest: float = LONGEST) -> float:
    """Wait until no page is being made, for `longest` seconds at most. Returns how many of them are left."""
    if not _pages or longest <= 0:
        return longest
    end = time.monotonic() + longest
    with _change:
        while (left := end - time.monotonic()) > 0 and any(since > end - longest - _PAGE for since in _pages.values()):
            _change.wait(left)
    return left


class Lane:
    """Work of which one thread does some at a time. While pages are asked for, it rests as long as it worked."""

    def __init__(self) -> None:
        self._free = threading.Lock()

    @contextmanager
    def turn(self, patience: float = -1) -> Iterator[None]:
        """Do some of it, beside whoever is at it after so many seconds; less than 0: wait until nobody is."""
        alone = self._free.acquire(timeout=patience)
        began = time.monotonic()
        try:
            yield
        finally:
            if alone:
                now = time.monotonic()
                if now - _last_begun < _LATELY:
                    time.sleep(min(now - began, LONGEST))
                self._free.release()


READING, COMPUTING = Lane(), Lane()  # taking bytes off the line; hashing and encrypting them
