"""Form slots: limits how many forms of people who are not signed in are read at once, since a slow one holds its thread.

Behind nginx, which hands on whole forms, none is ever waited for; but those of pages for large files, which it hands on as they
come. So these have slots of their own, or a few slow ones would keep everybody from signing in. No Flask here.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

AT_ONCE = 8  # of the 16 or more threads per process
FROM_ONE_NETWORK = 4
FILES_AT_ONCE = 4  # of pages for large files: forms without files, or with small ones
FILES_OF_ONE = 3  # person, or network of somebody without an account: a class may send its homework from one
WAITING = 8  # who waits holds a thread, too
PATIENCE_SECONDS = 1.0  # an ordinary form is read within milliseconds: behind slow ones nobody waits at all

_change = threading.Condition()


class TooManyForms(Exception):
    """So many forms are being read that this one was not."""


@dataclass(eq=False, slots=True)
class _Slot:
    """A form that is being read."""

    whose: str
    since: float = field(default_factory=time.monotonic)


@dataclass(eq=False, slots=True)
class _Slots:
    """`most` at once, `each` of one person or network."""

    most: int
    each: int
    taken: list[_Slot] = field(default_factory=list)
    waiting: int = 0

    @contextmanager
    def slot(self, whose: str, patience: float = PATIENCE_SECONDS) -> Iterator[None]:
        mine = self._take(whose, patience)
        try:
            yield
        finally:
            with _change:
                self.taken.remove(mine)
                _change.notify_all()

    def _take(self, whose: str, patience: float) -> _Slot:
        end = time.monotonic() + patience
        with _change:
            while before := self._before(whose):
                left = end - time.monotonic()
                in_vain = all(one.since <= time.monotonic() - PATIENCE_SECONDS for one in before)
                if left <= 0 or in_vain or self.waiting >= WAITING:
                    raise TooManyForms(f"{len(self.taken)} forms are being read, {self.waiting} wait")
                self.waiting += 1
                _change.wait(left)
                self.waiting -= 1
            self.taken.append(mine := _Slot(whose))
            return mine

    def _before(self, whose: str) -> list[_Slot]:
        """The forms of which one must end first; none where there is a slot."""
        own = [one for one in self.taken if one.whose == whose]
        return own if len(own) >= self.each else self.taken if len(self.taken) >= self.most else []


_reading = _Slots(AT_ONCE, FROM_ONE_NETWORK)
_of_files = _Slots(FILES_AT_ONCE, FILES_OF_ONE)


@contextmanager
def form_slot(network: str) -> Iterator[None]:
    """Wait for a turn to read a form that comes from `network`. Raises TooManyForms after PATIENCE_SECONDS, or at once where
    others wait already, or behind forms that have been read for so long.
    """
    with _reading.slot(network):
        yield


@contextmanager
def files_form_slot(whose: str, patience: float = PATIENCE_SECONDS) -> Iterator[None]:
    """The same for a form of a page for large files that is no large one. `whose`: a person or a network."""
    with _of_files.slot(whose, patience):
        yield
