"""Form slots: limits how many forms of people who are not signed in are read at once, since a slow one holds its thread.

Behind nginx, which hands on whole forms, none is ever waited for. No Flask here.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

AT_ONCE = 8  # of the 16 or more threads per process
FROM_ONE_NETWORK = 4
PATIENCE_SECONDS = 1.0  # an ordinary form is read within milliseconds

_change = threading.Condition()
_reading: Counter[str] = Counter()


class TooManyForms(Exception):
    """So many forms are being read that this one was not."""


@contextmanager
def form_slot(network: str) -> Iterator[None]:
    """Wait for a turn to read a form that comes from `network`. Raises TooManyForms after PATIENCE_SECONDS."""
    _take(network)
    try:
        yield
    finally:
        with _change:
            _reading[network] -= 1
            if not _reading[network]:
                del _reading[network]
            _change.notify_all()


def _take(network: str) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    with _change:
        while _reading[network] >= FROM_ONE_NETWORK or _reading.total() >= AT_ONCE:
            left = end - time.monotonic()
            if left <= 0:
                if not _reading[network]:
                    del _reading[network]
                raise TooManyForms(f"{_reading.total()} forms are being read")
            _change.wait(left)
        _reading[network] += 1
