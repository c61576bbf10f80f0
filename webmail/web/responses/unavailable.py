"""Unavailable: each answer 503 leaves a line in the log that says why, so that an administrator who is told of one finds it."""

from __future__ import annotations

import logging

from flask import Flask, Response, g, request

from webmail.web.forms.request_values import guessed_by_browser

log = logging.getLogger(__name__)


def install(app: Flask) -> None:
    app.after_request(_tell)


def because(reason: object) -> None:
    """Why this request will be answered by 503, in English."""
    g.unavailable = str(reason)


def _tell(response: Response) -> Response:
    if response.status_code == 503 and not guessed_by_browser():  # which is asked again when somebody really comes
        log.warning("503 for %s %s: %s", request.method, request.endpoint, g.get("unavailable", "no reason was noted"))
    return response
