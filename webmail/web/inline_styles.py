"""Inline styles: style sheets within the page itself, for a browser that comes for the first time and has nothing in its cache.

A sheet of its own costs a round trip before anything is drawn: 0.4 seconds on a slow line.
"""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache
from pathlib import Path

from flask import current_app, g, request
from markupsafe import Markup


def inline_styles(*names: str) -> Markup:
    """The `<style>` with these static files, one after the other; "" for a browser that brings a cookie: it was here before.

    The page's Content-Security-Policy then allows just these styles (`allowed_style`).
    """
    if request.cookies:
        return Markup()
    piece, g.allowed_style = _of_files(current_app.static_folder or "static", names)
    return piece


def allowed_style() -> str:
    """The source expression (CSP level 3, section 2.3.1) of the styles within this page; "" if there are none."""
    return str(g.get("allowed_style", ""))


@lru_cache(maxsize=8)
def _of_files(folder: str, names: tuple[str, ...]) -> tuple[Markup, str]:
    text = "".join(Path(folder, name).read_text(encoding="utf-8") for name in names)
    if "</" in text or "url(" in text:
        raise ValueError(f"{', '.join(names)}: a sheet within a page may neither end it nor name other files")
    checksum = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return Markup(f"<style>{text}</style>"), f"'sha256-{checksum}'"  # noqa: S704 - our own files
