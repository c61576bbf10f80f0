"""User lock: one action at a time on a person's mail, so that two clicks do not move the same messages twice.

A server may execute two concurrent MOVEs of a message and create two copies of it (Dovecot does). The lock holds among all
processes and machines (`database/locks.py`); within a process its threads queue up first, so that few of them ever poll.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from webmail.database.locks import LockBusyError, lock
from webmail.errors import ServerAwayError

PATIENCE = 8.0  # seconds
_MOST_WAITING = 4  # threads of this process for one person; further requests fail at once


@dataclass
class _UserLock:
    lock: threading.Lock = field(default_factory=threading.Lock)
    people: int = 0  # threads that hold the lock or wait for it


_turns: dict[int, _UserLock] = {}  # user id -> lock, only while actions are running
_guard = threading.Lock()


@contextmanager
def user_lock(user_id: int) -> Iterator[None]:
    """Hold the user's lock. Raises ServerAwayError after PATIENCE, or at once if too many wait. Take it before a connection."""
    end = time.monotonic() + PATIENCE
    with _guard:
        turn = _turns.setdefault(user_id, _UserLock())
        if turn.people > _MOST_WAITING:
            raise ServerAwayError("too many actions of one person wait for their turn")
        turn.people += 1
    try:
        if not turn.lock.acquire(timeout=PATIENCE):
            raise ServerAwayError("another action of this person takes too long")
        try:
            with lock(f"mail-{user_id}", end - time.monotonic()):
                yield
        except LockBusyError as error:
            raise ServerAwayError("another action of this person takes too long, in another process") from error
        finally:
            turn.lock.release()
    finally:
        with _guard:
            turn.people -= 1
            if not turn.people:
                _turns.pop(user_id, None)
