"""Unavailable: each answer 503, and each other error of the server, leaves a line in the log that says why, with the request's
number, so that an administrator who is told of one finds it.
"""

from __future__ import annotations

import logging

from flask import Flask, Response, g, request

from webmail.web.forms.request_values import guessed_by_browser
from webmail.web.request_log import reference

log = logging.getLogger(__name__)


def install(app: Flask) -> None:
    app.after_request(_tell)


def because(reason: object) -> None:
    """Why this request will be answered by 503, or another error of the server, in English."""
    g.unavailable = str(reason)


def _tell(response: Response) -> Response:
    if response.status_code >= 500 and not guessed_by_browser():  # which is asked again when somebody really comes
        why, number = g.get("unavailable", "no reason was noted"), reference()
        line = f"{response.status_code} for {request.method} {request.endpoint}: {why}"
        log.warning("%s", f"{line} [{number}]" if number else line)
    return response
