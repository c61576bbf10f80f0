"""Notices: what the next page says once, with Undo where there is one."""

from __future__ import annotations

import time
from typing import Any, cast

from flask import session


def notify(text: str, kind: str = "done", undo: tuple[str, dict[str, Any]] | None = None, keep: float = 0) -> None:
    """Queue a notice for the next page. Kinds: done, caution, danger. `undo`: an address to POST to, and its fields.

    With `keep` it stays on the pages that follow, for so many seconds or until another such notice takes its place.
    """
    before = session.get("notices", [])
    until = time.time() + keep if keep else 0
    if keep:
        before = [notice for notice in before if not notice.get("until")]
    session["notices"] = [*before, {"text": text, "kind": kind, "undo": undo, "until": until}][-5:]


def notices() -> list[dict[str, Any]]:
    """The notices to show now; each is shown once, but for those that stay a while."""
    found = cast("list[dict[str, Any]]", session.get("notices", []))
    kept = [notice for notice in found if notice.get("until", 0) > time.time()]
    if kept != found:
        session["notices"] = kept
    return [notice for notice in found if not notice.get("until") or notice in kept]


def withdraw_notices() -> None:
    """Drop the notices that stay: what they offered was done."""
    session["notices"] = [notice for notice in session.get("notices", []) if not notice.get("until")]
