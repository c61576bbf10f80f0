"""Banners: pieces that stand on every page, whatever its area, such as the alert about messages that were not sent.

An area adds its own as its views are imported, so that pages of earlier areas show it without knowing of it.
"""

from __future__ import annotations

_banners: list[str] = []


def add_banner(template: str) -> None:
    """Show a template on every page of the application, and renew it with each page that HTMX brings (`oob` is true then).

    It is one element with an id, and asks what it needs by template globals: at most one cheap query.
    """
    if template not in _banners:
        _banners.append(template)


def banners() -> tuple[str, ...]:
    return tuple(_banners)
