"""Admission to the directory: one that is away or slow must not hold the threads of a process. No Flask here.

Few threads ask it, and others wait as long as it answers anybody. One that could not be reached is left alone for some seconds
(imap/connections/circuit_breaker.py). Who has a password of ours never comes here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from webmail.account import Server
from webmail.admission import Admission, AdmissionRefusedError
from webmail.auth.passwords.check_admission import PATIENCE_SECONDS, WAITING, TooBusyError
from webmail.config.providers import Ldap
from webmail.errors import ServerAwayError
from webmail.imap.connections.circuit_breaker import dialling

AT_ONCE = 4  # of the 16 or more threads per process
SILENCE_SECONDS = 1.0  # nobody waits while nobody is answered
ASKING = Admission(AT_ONCE, waiting=WAITING, patience=PATIENCE_SECONDS, still=SILENCE_SECONDS)


class DirectorySilentError(OSError):
    """The directory is away: for the circuit breaker, which knows the errors of connections."""


@contextmanager
def admitted(directory: Ldap) -> Iterator[None]:
    """A place to ask the directory. Raises ServerAwayError at once where it was away a moment ago, and TooBusyError."""
    server = Server(directory.url, urlsplit(directory.url).port or 0)
    try:
        with dialling(server), ASKING.admit():
            try:
                yield
            except ServerAwayError as error:
                raise DirectorySilentError(str(error)) from error
    except AdmissionRefusedError as error:
        if error.still:
            raise ServerAwayError(f"the directory has answered nobody for {SILENCE_SECONDS:g} s") from error
        raise TooBusyError(f"no place to ask the directory: {error}") from error
    except DirectorySilentError as error:
        assert error.__cause__ is not None
        raise error.__cause__ from error.__cause__.__cause__
