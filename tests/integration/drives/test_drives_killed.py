"""Drives keep and give what they should while workers are killed: a small part of `python -m tests.bench.drives_killed`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench import drives_killed


@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", drives_killed.KINDS)
def test_five_kills_up_and_five_down(kind: str) -> None:
    """In a process of its own, with a database of its own."""
    command = [sys.executable, "-m", "tests.bench.drives_killed", "64", "5", kind]
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[3], check=False)
    assert not done.returncode, done.stdout + done.stderr[-3_000:]
    told = done.stdout.splitlines()
    assert len(told) == 2 and all("5 kills: the same SHA-256, once, nothing left behind" in one for one in told)
