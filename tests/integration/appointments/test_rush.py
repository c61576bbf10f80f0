"""Many book, and answer a poll, at once through two web processes: small rounds of tests/bench/appointment_rush.py, poll_rush.py."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("round_of", [["appointment_rush", "40", "8"], ["poll_rush", "40"]])
def test_nobody_is_lost_and_nothing_is_there_twice(round_of: list[str]) -> None:
    command = [sys.executable, "-m", f"tests.bench.{round_of[0]}", *round_of[1:], "sqlite"]  # it opens a database of its own
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
