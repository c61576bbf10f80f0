"""Check slots: limits how many passwords are checked at once, since each check takes a core and 19 MiB. No Flask here."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from webmail.errors import MailError

AT_ONCE = max(1, min(len(os.sched_getaffinity(0)), 8))  # more would only share the same cores
PATIENCE_SECONDS = 10.0  # 60 people who sign in at one instant take 4 s on two cores

_slots = threading.BoundedSemaphore(AT_ONCE)


class TooBusy(MailError):
    """So many people are signing in that this password was not checked."""

    status = 503


@contextmanager
def check_slot() -> Iterator[None]:
    """Wait for a turn to check a password in this process. Raises TooBusy after PATIENCE_SECONDS."""
    if not _slots.acquire(timeout=PATIENCE_SECONDS):
        raise TooBusy(f"no turn to check a password within {PATIENCE_SECONDS:g} s")
    try:
        yield
    finally:
        _slots.release()
