"""Turns at the directory: a directory that is away or slow must not hold the threads of a process. No Flask here.

At most AT_ONCE threads ask it, and others wait as long as it answers anybody. One that could not be reached is left alone for
some seconds (imap/circuit_breaker.py). Who has a password of ours never comes here.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from webmail.account import Server
from webmail.auth.check_slots import PATIENCE_SECONDS, TooBusy
from webmail.config_providers import Ldap
from webmail.errors import ServerAway
from webmail.imap.circuit_breaker import dialling

AT_ONCE = 4  # of the 16 or more threads per process
SILENCE_SECONDS = 1.0  # nobody waits for a turn while nobody is answered

_change = threading.Condition()
_asking = 0
_answered = 0.0


class DirectorySilent(OSError):
    """The directory is away: for the circuit breaker, which knows the errors of connections."""


@contextmanager
def turn(directory: Ldap) -> Iterator[None]:
    """Wait for a turn to ask the directory. Raises ServerAway at once where it was away a moment ago, and TooBusy."""
    server = Server(directory.url, urlsplit(directory.url).port or 0)
    try:
        with dialling(server), _turn():
            try:
                yield
            except ServerAway as error:
                raise DirectorySilent(str(error)) from error
    except DirectorySilent as error:
        assert error.__cause__ is not None
        raise error.__cause__ from error.__cause__.__cause__


@contextmanager
def _turn() -> Iterator[None]:
    global _asking
    _wait()
    try:
        yield
    finally:
        with _change:
            _asking -= 1
            _change.notify()


def answered() -> None:
    """The directory has answered somebody."""
    global _answered
    with _change:
        _answered = time.monotonic()


def _wait() -> None:
    global _asking
    began = time.monotonic()
    with _change:
        while _asking >= AT_ONCE:
            now = time.monotonic()
            if now - max(began, _answered) > SILENCE_SECONDS:
                raise ServerAway(f"the directory has answered nobody for {SILENCE_SECONDS:g} s")
            if now - began > PATIENCE_SECONDS:
                raise TooBusy(f"no turn to ask the directory within {PATIENCE_SECONDS:g} s")
            _change.wait(SILENCE_SECONDS / 4)
        _asking += 1
