"""The scripts of the editor: small enough to come while a page is idle."""

from __future__ import annotations

import re
from pathlib import Path

import brotli

STATIC = Path(__file__).resolve().parents[3] / "static"
PARTS = STATIC.parent / "templates" / "compose" / "_editor.html"
MOST = 120_000  # bytes, compressed as they are sent


def test_they_stay_small() -> None:
    named = re.findall(r"'((?:vendor|js)/[^']+)'", PARTS.read_text())
    assert len(named) == 3
    assert sum(len(brotli.compress((STATIC / name).read_bytes())) for name in named) <= MOST
