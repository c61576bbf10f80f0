"""Admission to password checks: few at once, which take a core and 19 MiB each, and few that wait, which hold a thread each. No
Flask here."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from webmail.admission import Admission, AdmissionRefusedError
from webmail.errors import MailError

AT_ONCE = max(1, min(len(os.sched_getaffinity(0)), 8))  # more would only share the same cores
WAITING = 8  # of the 16 or more threads per process: who is signed in already has the others
PATIENCE_SECONDS = 10.0
CHECKS = Admission(AT_ONCE, waiting=WAITING, patience=PATIENCE_SECONDS)


class TooBusyError(MailError):
    """So many people are signing in that this password was not checked."""

    status = 503


@contextmanager
def checking() -> Iterator[None]:
    """A place to check a password in this process. Raises TooBusyError, at once where many wait already."""
    try:
        with CHECKS.admit():
            yield
    except AdmissionRefusedError as error:
        raise TooBusyError(f"no place to check a password: {error}") from error
