"""Pages that wait for other servers, as many as may."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from webmail.web import outside_turns


@contextmanager
def all_taken(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patched, ExitStack() as stack:
        patched.setattr(outside_turns, "PATIENCE", 0.01)
        assert outside_turns.AT_ONCE < 8
        for _page in range(outside_turns.AT_ONCE):
            stack.enter_context(outside_turns.turn_outside())
        yield
