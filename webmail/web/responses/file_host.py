"""File host: another address of this application, from which files of strangers come, and nothing else (`transfers.file_host`).

A file that a browser shows after all, by a fault of its own, is on a site then that has no cookies, pages or forms.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from webmail.web.current import settings
from webmail.web.templates.addresses import url_for

View = TypeVar("View", bound=Callable[..., Any])


def comes_from_file_host(view: View) -> View:
    """Mark a view whose answers are files: where there is a host for them, they come from it alone."""
    view.from_file_host = True  # type: ignore[attr-defined]
    return view


def install(app: Flask) -> None:
    """Before the guard: pages are no pages there, whoever asks."""
    app.before_request(_keep_apart)


def file_url(endpoint: str, **values: Any) -> str:
    """The address of a file: on its own host, where there is one."""
    base = settings().transfers.file_host
    if not base:
        return url_for(endpoint, **values)
    parts = urlsplit(base)
    adapter = current_app.url_map.bind(parts.netloc, parts.path.rstrip("/") or "/", url_scheme=parts.scheme)
    return adapter.build(endpoint, values, force_external=True)


def is_file_host() -> bool:
    """Whether this request came to the host of files."""
    base = settings().transfers.file_host
    return bool(base) and request.host.lower() == urlsplit(base).netloc.lower()


def host_source() -> str:
    """The host for a Content-Security-Policy, with a space before it; "" where there is none."""
    base = settings().transfers.file_host
    return f" {'{0.scheme}://{0.netloc}'.format(urlsplit(base))}" if base else ""


def _keep_apart() -> AnyResponse | None:
    base = settings().transfers.file_host
    if not base:
        return None
    marked = getattr(current_app.view_functions.get(request.endpoint or ""), "from_file_host", False)
    here = is_file_host()
    if here and not marked:
        return Response("Only files are here.\n", 404, mimetype="text/plain")
    if marked and not here and request.endpoint:
        query = f"?{request.query_string.decode('ascii', 'replace')}" if request.query_string else ""
        return redirect(file_url(request.endpoint, **(request.view_args or {})) + query, 307)
    return None
