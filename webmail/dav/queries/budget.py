"""Budget of a request: what it may cost the processor, and how much its answer may hold while it is made."""

from __future__ import annotations

import time

SECONDS = 0.3  # of the processor, for a request
PER_ITEM = 0.000_15  # and for each item that it tells
MOST_BYTES = 32_000_000  # of an answer
_EVERY = 64  # items between two looks at the clock


class OverBudgetError(Exception):
    """The answer would cost more than a request may."""


class Budget:
    """Counted in the thread that makes the answer. `told` items earn it more time."""

    def __init__(self) -> None:
        self._began = time.thread_time()
        self._steps = 0
        self.told = 0
        self.bytes = 0

    @property
    def left(self) -> float:
        """Seconds of the processor."""
        return self._began + SECONDS + self.told * PER_ITEM - time.thread_time()

    def step(self) -> None:
        """Another item is looked at. Raises OverBudgetError."""
        self._steps += 1
        if self._steps % _EVERY == 0:
            self.check()

    def check(self) -> None:
        """Raises OverBudgetError."""
        if self.left < 0:
            raise OverBudgetError(f"more than {SECONDS + self.told * PER_ITEM:.1f} s")

    def tell(self, text: str) -> bytes:
        """What is told of an item, as it is sent. Raises OverBudgetError where it no longer has room."""
        data = text.encode()
        self.bytes += len(data)
        self.told += 1
        if self.bytes > MOST_BYTES:
            raise OverBudgetError(f"more than {MOST_BYTES} bytes")
        return data
