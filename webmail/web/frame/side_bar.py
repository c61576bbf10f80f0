"""Side bar: which folders a browser shows already, so that answers to scripts bring them only where something changed.

The side bar says its version: a digest of its links without the mark of the current one, and when the folders were listed.
Scripts send it along (static/js/app.js); where the digest is the same, the answer only says which links are current now.
"""

from __future__ import annotations

import hashlib
import re

from flask import Response, g, request

SHOWN = "X-Traboule-Folders"  # of a request: the version that is shown
CURRENT = "X-Traboule-Current"  # of an answer without folders: the places of the current ones among the links
_MARK = re.compile(r' aria-current="\w+"')


def version(links: str) -> str:
    """The version of a side bar with these links."""
    return f"{_digest(links)}.{g.get('folders_listed', 0)}"


def is_shown(links: str) -> bool:
    """Whether the browser that asks shows these links already; `tell_current` then says which of them are current."""
    if _shown_folders()[0] != _digest(links):
        return False
    g.current_links = ",".join(str(links.count("<a ", 0, mark.start()) - 1) for mark in _MARK.finditer(links))
    return True


def shown_since() -> int:
    """When the folders that the browser shows were listed, as `overviews.listed` counts; 0 if it does not say."""
    listed = _shown_folders()[1]
    return int(listed) if listed.isascii() and listed.isdigit() and len(listed) < 16 else 0


def tell_current(response: Response) -> None:
    """Say which links are current, where the answer has no folders."""
    if "current_links" in g:
        response.headers[CURRENT] = g.current_links


def _digest(links: str) -> str:
    return hashlib.blake2b(_MARK.sub("", links).encode(), digest_size=6).hexdigest()


def _shown_folders() -> tuple[str, str]:
    digest, _point, listed = request.headers.get(SHOWN, "").partition(".")
    return digest, listed
