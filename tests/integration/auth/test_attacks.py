"""Attacks of docs/security.md, a tenth of each: none gets further than it may. In a process of its own, as one runs them.

Those that take long without saying more than tests elsewhere are run by hand alone: `python -m tests.attacks --quick`.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.attacks.__main__ import ALL

ROOT = Path(__file__).resolve().parents[3]
_PATIENCE = 240  # seconds, on a busy machine


TRIED = ["keys", "takeover", "pages", "copies", "keyrings", "doors", "names"]  # all on the same servers
BY_HAND = [
    "codes",
    "guessing",
    "proxies",
    "timing",
    "programs",
    "directory",
    "helping",
    "providers",
    "recovery",
    "transfers",
    "devices",
    "clicks",
    "scripts",
]


@pytest.mark.timeout(_PATIENCE + 10)
def test_they_hold():
    command = [sys.executable, "-m", "tests.attacks", "--quick", *TRIED]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=_PATIENCE, check=False)
    assert ran.returncode == 0, f"{ran.stdout}\n{ran.stderr}"
    assert "**NO**" not in ran.stdout and ran.stdout.count("| yes |") > 40


def test_none_is_forgotten():
    assert sorted([*BY_HAND, *TRIED]) == sorted(ALL)
