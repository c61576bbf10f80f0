"""Saving what browsers decrypt: the service worker by which files of any size become downloads of the browser.

Its scope is what stands beside its script, and nothing does: it sees no request but those that it answers itself.
"""

from __future__ import annotations

from flask import Response, current_app, send_from_directory

from webmail.auth.guard import public
from webmail.transfers.blueprint import blueprint

_POLICY = "default-src 'none'; frame-ancestors 'none'"  # of the worker too: it asks for nothing, anywhere


@blueprint.get("/t/save/worker.js")
@public
def save_worker() -> Response:
    """Asked for anew each time, as browsers do with workers."""
    response = send_from_directory(
        current_app.static_folder or "static", "js/transfers/save_worker.js", mimetype="text/javascript"
    )
    response.headers["Content-Security-Policy"] = _POLICY
    response.headers["Cache-Control"] = "no-store"
    return response
