"""Form slots: limits how many forms of people who are not signed in are read at once, since a slow one holds its thread.

Behind nginx, which hands on whole forms, none is ever waited for; but those of pages for large files, which it hands on as they
come. So these have slots of their own, or a few slow ones would keep everybody from signing in. No Flask here.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

AT_ONCE = 8  # of the 16 or more threads per process
FROM_ONE_NETWORK = 4
FILES_AT_ONCE = 4  # of pages for large files: forms without files, or with small ones
FILES_OF_ONE = 3  # person, or network of somebody without an account: a class may send its homework from one
PATIENCE_SECONDS = 1.0  # an ordinary form is read within milliseconds

_change = threading.Condition()
_reading: Counter[str] = Counter()
_of_files: Counter[str] = Counter()


class TooManyForms(Exception):
    """So many forms are being read that this one was not."""


@contextmanager
def form_slot(network: str) -> Iterator[None]:
    """Wait for a turn to read a form that comes from `network`. Raises TooManyForms after PATIENCE_SECONDS."""
    with _slot(_reading, network, AT_ONCE, FROM_ONE_NETWORK):
        yield


@contextmanager
def files_form_slot(whose: str) -> Iterator[None]:
    """The same for a form of a page for large files that is no large one. `whose`: a person or a network."""
    with _slot(_of_files, whose, FILES_AT_ONCE, FILES_OF_ONE):
        yield


@contextmanager
def _slot(among: Counter[str], whose: str, most: int, each: int) -> Iterator[None]:
    _take(among, whose, most, each)
    try:
        yield
    finally:
        with _change:
            among[whose] -= 1
            if not among[whose]:
                del among[whose]
            _change.notify_all()


def _take(among: Counter[str], whose: str, most: int, each: int) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    with _change:
        while among[whose] >= each or among.total() >= most:
            left = end - time.monotonic()
            if left <= 0:
                if not among[whose]:
                    del among[whose]
                raise TooManyForms(f"{among.total()} forms are being read")
            _change.wait(left)
        among[whose] += 1
