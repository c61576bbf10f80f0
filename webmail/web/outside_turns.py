"""Turns of pages that wait for other servers: few of a process at once, so that threads are left for mail."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

AT_ONCE = 4
PATIENCE = 2.0  # seconds, for a turn
_turns = threading.BoundedSemaphore(AT_ONCE)


class NoTurn(Exception):
    """As many pages as may wait for other servers already."""


@contextmanager
def turn_outside() -> Iterator[None]:
    """Have a turn while a page asks another server. Raises NoTurn after PATIENCE."""
    if not _turns.acquire(timeout=PATIENCE):
        raise NoTurn
    try:
        yield
    finally:
        _turns.release()
