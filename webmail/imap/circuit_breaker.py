"""Remembers which servers can't be reached, so that one that is mute does not hold every thread of this process.

A circuit breaker around dialling alone: what is slow on an open connection says nothing of the next one.
"""

from __future__ import annotations

import ssl
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from webmail.account import Server
from webmail.errors import ServerAway

PAUSE_SECONDS = 3.0

_AT_ONCE = (ssl.SSLError, ConnectionResetError, ConnectionAbortedError, BrokenPipeError)  # somebody is there, and nobody waited


@dataclass(slots=True)
class _State:
    away: bool = False
    next_try: float = 0.0
    answered: float = 0.0  # when a connection was last opened


_servers: defaultdict[Server, _State] = defaultdict(_State)
_lock = threading.Lock()


@contextmanager
def dialling(server: Server, *, telling: bool = True) -> Iterator[None]:
    """Around the opening of a connection, up to the server's greeting (and STARTTLS), never around the sign-in.

    Raises ServerAway at once while the server is known to be away: in each 3 seconds one thread may try, and the first that
    gets through clears the way for all. Refused, unreachable and timed out make a server away; with `telling=False` (too
    little time was left for a server that is merely busy) a failure is not remembered.
    """
    began = time.monotonic()
    with _lock:
        state = _servers[server]
        if state.away:
            if began < state.next_try:
                raise ServerAway(f"{server.host} port {server.port} could not be reached a moment ago")
            state.next_try = began + PAUSE_SECONDS
    try:
        yield
    except OSError as error:
        if telling and not isinstance(error, _AT_ONCE):
            _failed(state, began)
        raise
    with _lock:
        state.away, state.answered = False, time.monotonic()


def _failed(state: _State, began: float) -> None:
    """One that began before another got through tells of the past; one that knew the server to be away tells nothing new."""
    with _lock:
        if not state.away and began >= state.answered:
            state.away, state.next_try = True, time.monotonic() + PAUSE_SECONDS


def forget_all() -> None:
    with _lock:
        _servers.clear()
