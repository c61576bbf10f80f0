"""One action after another: two clicks at once must not move the same messages twice.

A server may carry out two MOVEs of a message at the same time and make two copies of it (Dovecot does). Whoever moves messages
for a person waits until what is under way for the same person in this process is done. Several processes know nothing of each
other's turns; what is put off and the offers to undo are claimed in the database besides (`leases.py`, `undo.py`).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from webmail.errors import ServerAway

PATIENCE = 8.0  # seconds
_MOST_WAITING = 4  # of one person: the others get their answer at once


@dataclass
class _Turn:
    lock: threading.Lock = field(default_factory=threading.Lock)
    people: int = 0  # that have it or wait for it


_turns: dict[int, _Turn] = {}  # by the id of the person: as many as there are actions under way
_guard = threading.Lock()


@contextmanager
def user_lock(user_id: int) -> Iterator[None]:
    """Have one's turn. Raises ServerAway after PATIENCE, or at once where too many wait. Taken before a connection is."""
    with _guard:
        turn = _turns.setdefault(user_id, _Turn())
        if turn.people > _MOST_WAITING:
            raise ServerAway("too many actions of one person wait for their turn")
        turn.people += 1
    try:
        if not turn.lock.acquire(timeout=PATIENCE):
            raise ServerAway("another action of this person takes too long")
        try:
            yield
        finally:
            turn.lock.release()
    finally:
        with _guard:
            turn.people -= 1
            if not turn.people:
                _turns.pop(user_id, None)
