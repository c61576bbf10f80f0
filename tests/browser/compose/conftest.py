"""Alice and Bob write as they do at first."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _as_on_the_first_day(as_on_the_first_day: None) -> None:
    """In every test of this folder."""
