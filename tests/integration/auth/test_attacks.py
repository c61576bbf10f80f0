"""The attacks of docs/security.md, a tenth of them: none gets further than it may. In a process of its own, as one runs them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.attacks.__main__ import ALL

ROOT = Path(__file__).resolve().parents[3]
_PATIENCE = 240  # seconds, on a busy machine


@pytest.mark.parametrize(
    "names", [["guessing", "proxies", "copies", "timing"], ["codes", "keys", "takeover", "programs", "pages"]], ids=" ".join
)
def test_they_hold(names):
    command = [sys.executable, "-m", "tests.attacks", "--quick", *names]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=_PATIENCE, check=False)
    assert ran.returncode == 0, f"{ran.stdout}\n{ran.stderr}"
    assert "**NO**" not in ran.stdout and ran.stdout.count("| yes |") > 10


def test_all_of_them_are_run():
    named = [name for mark in test_they_hold.pytestmark for names in mark.args[1] for name in names]  # type: ignore[attr-defined]
    assert sorted(named) == sorted(ALL)
