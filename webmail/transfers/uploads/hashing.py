"""Hashing of what comes in: SHA-256 as the bytes pass, so that a large file need not be read again once it is whole.

The state of a hash can't be kept in the database, so it lives in this process, for a bounded number of contents: a file whose
pieces came by several processes, or before a restart, is read once more when it is whole (`of_stored`).
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

_MOST = 500
_lock = threading.Lock()
_states: OrderedDict[int, tuple[int, Any]] = OrderedDict()  # content id -> (how far, hash)


def take(content_id: int, at: int) -> Any:
    """The hash of the first `at` bytes, for whoever adds what follows; None if they did not all pass through this process.

    Nobody else has it meanwhile: of two who add at once, one can't spoil the other's.
    """
    if at == 0:
        return hashlib.sha256()
    with _lock:
        known, state = _states.pop(content_id, (-1, None))
    return state if known == at else None


def keep(content_id: int, at: int, state: Any) -> None:
    with _lock:
        _states[content_id] = (at, state)
        _states.move_to_end(content_id)
        while len(_states) > _MOST:
            _states.popitem(last=False)


def passed(content_id: int, size: int) -> str:
    """The hash in hex, if all bytes passed through this process; else ""."""
    with _lock:
        at, state = _states.get(content_id, (0, None))
    return str(state.hexdigest()) if state is not None and at == size else ""


def forget(content_id: int) -> None:
    with _lock:
        _states.pop(content_id, None)


def of_stored(chunks: Iterable[bytes]) -> str:
    """The hash in hex of bytes that are read."""
    state = hashlib.sha256()
    for chunk in chunks:
        state.update(chunk)
    return state.hexdigest()
