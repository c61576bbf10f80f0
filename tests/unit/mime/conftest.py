"""The sample messages, by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def sample() -> Callable[[str], bytes]:
    folder = Path(__file__).parents[2] / "samples"
    return lambda name: (folder / name).read_bytes()
