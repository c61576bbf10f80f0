"""Public links: absolute addresses of our pages, for mail and other places outside of them."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from flask import current_app

from webmail.web.current import settings


def public_link(endpoint: str, /, **values: Any) -> str:
    """The address of a page as people reach it, built from the setting `public_url`; "" where it is not set.

    Never from the request: its Host header is written by whoever sends it, and a link in a mail would lead to their server.
    Works without a request too, as in the worker. Values that are no part of the page's path become its query.
    """
    if not (base := settings().public_url):
        return ""
    parts = urlsplit(base)
    adapter = current_app.url_map.bind(parts.netloc, parts.path.rstrip("/") or "/", url_scheme=parts.scheme)
    return adapter.build(endpoint, values, force_external=True)
