"""Addresses of pages: the `url_for` of templates, which remembers what it built, since a page has dozens."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import flask
from flask import current_app, request

_KEPT = 4000
_PLAIN = frozenset((str, int, type(None)))  # values that tell all there is to know of them


def url_for(endpoint: str, **values: Any) -> str:
    """As Flask's. An address depends on where the application is mounted, and on nothing else of a request."""
    if endpoint[:1] == "." or "_external" in values or not _PLAIN.issuperset(map(type, values.values())):
        return flask.url_for(endpoint, **values)
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    return _built(id(app), request.script_root, endpoint, *values.items())


@lru_cache(maxsize=_KEPT)
def _built(_app: int, _root: str, endpoint: str, *values: tuple[str, Any]) -> str:
    return flask.url_for(endpoint, **dict(values))
