"""Waiting for what happens by itself: as long as it takes, never for a guessed time."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")


def eventually(
    condition: Callable[[], Found],
    seconds: float = 20,
    step: float = 0.02,
    what: str = "",
    found: Callable[[], object] | None = None,
    sleep: Callable[[float], object] = time.sleep,
) -> Found:
    """What `condition` returns as soon as that is true. `seconds` is patience for a busy machine, no measure of anything:
    after it, an AssertionError says what was waited for (`what`, else the condition's own words) and what is there instead
    (`found`, else what the condition returned).
    """
    end = time.monotonic() + seconds
    while True:
        late = time.monotonic() > end  # looked at before the condition, which is so asked once more when the time is over
        if answer := condition():
            return answer
        if late:
            raise AssertionError(f"not within {seconds:g} s: {what or _words(condition)}; but {found() if found else answer!r}")
        sleep(step)


def _words(condition: Callable[[], object]) -> str:
    try:
        return " ".join(inspect.getsource(condition).split())
    except (OSError, TypeError):  # typed at a prompt, or not written in Python
        return repr(condition)
