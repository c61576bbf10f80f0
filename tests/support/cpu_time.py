"""CPU time of a piece of work, for tests that hold hostile input to a bound."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager

_REFERENCE = 0.027  # seconds that `_yardstick` takes on the machine on which the limits were set
_SLOWEST = 4.0  # times slower than that one


@contextmanager
def cpu_seconds(limit: float, what: object = "") -> Iterator[None]:
    """Fail if the block takes this thread longer. `what`: which of several, for the message.

    The limit is for the machine on which it was set: before it fails, a slower one gets as much more as it is slower at this
    moment. The collector of rubbish is off meanwhile, which would tidy up after the tests before (and is not asked to do so first:
    late in a run that takes a second each time).
    """
    gc.disable()
    try:
        began = time.thread_time()
        yield
        took = time.thread_time() - began
    finally:
        gc.enable()
    if took >= limit:
        limit *= min(max(_yardstick() / _REFERENCE, 1.0), _SLOWEST)
    assert took < limit, f"{took:.2f} s of {limit:.2f} {what!r}"


def _yardstick() -> float:
    began = time.thread_time()
    words: dict[str, int] = {}
    for number in range(200_000):
        words[str(number % 1000)] = number
    return time.thread_time() - began
