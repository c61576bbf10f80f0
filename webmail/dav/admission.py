"""Admission: how many requests of devices run at once, of one person and of all, in this process.

Whoever asks is signed in before they are counted, and their body is read within their share: one person's devices, however many,
keep neither pages nor other people's telephones waiting.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

AT_ONCE = 8  # of the 16 or more threads per process: a school's telephones must not take all of them from the pages
OF_ONE_PERSON = 2
WAITING = 12  # who waits holds a thread too
WAITING_OF_ONE = 4
PATIENCE_SECONDS = 15.0


class AdmissionRefused(Exception):
    """So many requests run or wait that this one is to come back later."""


class Admission:
    """`admit` requests of people, by number."""

    def __init__(self, at_once: int = AT_ONCE, of_one: int = OF_ONE_PERSON) -> None:
        self._at_once, self._of_one = at_once, of_one
        self._change = threading.Condition()
        self._running: Counter[int] = Counter()
        self._waiting: Counter[int] = Counter()

    @contextmanager
    def admit(self, person: int, patience: float = PATIENCE_SECONDS) -> Iterator[None]:
        """At once or after a while. Raises AdmissionRefused."""
        with self._change:
            if not self._is_free(person):
                self._wait(person, patience)
            self._running[person] += 1
        try:
            yield
        finally:
            with self._change:
                _less(self._running, person)
                self._change.notify_all()

    def _is_free(self, person: int) -> bool:
        return self._running[person] < self._of_one and self._running.total() < self._at_once

    def _wait(self, person: int, patience: float) -> None:
        if self._waiting[person] >= WAITING_OF_ONE or self._waiting.total() >= WAITING:
            raise AdmissionRefused(f"{self._running.total()} requests run, {self._waiting.total()} wait")
        end = time.monotonic() + patience
        self._waiting[person] += 1
        try:
            while not self._is_free(person):
                if (left := end - time.monotonic()) <= 0:
                    raise AdmissionRefused("none of them ended in time")
                self._change.wait(left)
        finally:
            _less(self._waiting, person)


def _less(counts: Counter[int], person: int) -> None:
    counts[person] -= 1
    if not counts[person]:
        del counts[person]
