"""Pages that wait for other servers, as many as may."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from webmail.web.responses.outside import ASKING_OUTSIDE


@contextmanager
def all_taken(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patched, ExitStack() as stack:
        patched.setattr(ASKING_OUTSIDE, "patience", 0.01)
        for _page in range(ASKING_OUTSIDE.at_once):
            stack.enter_context(ASKING_OUTSIDE.admit())
        yield
