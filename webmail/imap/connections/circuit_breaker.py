"""Circuit breaker: a server that could not be reached is left alone for some seconds, so that it does not block every thread.

Only around connecting: a slow command on an open connection says nothing about the next connection.
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
from webmail.errors import ServerAwayError

PAUSE_SECONDS = 3.0

_AT_ONCE = (ssl.SSLError, ConnectionResetError, ConnectionAbortedError, BrokenPipeError)  # the server responded, without a wait


@dataclass(slots=True)
class _State:
    away: bool = False
    next_try: float = 0.0
    answered: float = 0.0  # when a connection last succeeded


_servers: defaultdict[Server, _State] = defaultdict(_State)
_lock = threading.Lock()


@contextmanager
def dialling(server: Server, *, telling: bool = True) -> Iterator[None]:
    """Wrap the opening of a connection, up to the server's greeting (and STARTTLS), but not the sign-in.

    Raises ServerAwayError at once while the circuit is open: every 3 seconds one thread may retry, and the first success closes
    the circuit. Refused, unreachable and timed-out connections open it; with `telling=False` (the timeout was too short for a
    merely busy server) a failure does not count.
    """
    began = time.monotonic()
    with _lock:
        state = _servers[server]
        if state.away:
            if began < state.next_try:
                raise ServerAwayError(f"{server.host} port {server.port} could not be reached a moment ago")
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
    """Open the circuit. Ignores attempts that started before the last success, and those made while it is open."""
    with _lock:
        if not state.away and began >= state.answered:
            state.away, state.next_try = True, time.monotonic() + PAUSE_SECONDS


def forget_all() -> None:
    with _lock:
        _servers.clear()
