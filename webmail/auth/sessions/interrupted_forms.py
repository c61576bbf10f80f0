"""Interrupted forms: keeps what somebody sent when a question came up first, so that it can be sent again by a click."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import urlsplit

from flask import current_app, request
from flask_login import current_user
from flask_wtf.csrf import validate_csrf
from wtforms import ValidationError

from webmail import vault
from webmail.auth.sessions.cookies import visit
from webmail.web.forms import double_submits, going_back

_INTERRUPTED = "interrupted"  # in the session: the form that was interrupted by the question for a factor
_LARGEST_INTERRUPTED = 8 * 1024  # bytes
_OF_THE_PAGE = ("csrf_token", "form_id", "action", "passphrase")
_NOT_KEPT = ("csrf_token", "code", "password", "passphrase", "new_password", "new_password_again")


def is_interrupted() -> bool:
    """Whether a form waits to be sent again."""
    return _INTERRUPTED in visit()


def take_interrupted() -> dict[str, Any] | None:
    """The `url` and `fields` of the form that was interrupted, once; None where there is none."""
    if not (sealed := visit().pop(_INTERRUPTED, "")):
        return None
    try:
        text = vault.open_for_session(base64.b64decode(sealed), visit().token, _secret(), current_user.id)
    except vault.CannotOpenError:  # the installation's secret was changed since
        return None
    found: dict[str, Any] = json.loads(text)
    return found


def keep_interrupted() -> None:
    """Keep a small form that the question interrupts, to be sent again by a click after it (views/factors/confirm.py).

    Sealed, since recovery codes may be in it. One that was kept before was left, and nobody expects it any more.
    """
    drop_interrupted()
    if request.method != "POST" or (request.content_length or 0) > _LARGEST_INTERRUPTED:
        return
    if not _is_ours():
        return
    fields = [[name, value] for name, value in request.form.items(multi=True) if name not in _NOT_KEPT]
    text = json.dumps({"url": path_here(), "fields": fields})
    sealed = vault.seal_for_session(text, visit().token, _secret(), current_user.id)
    visit()[_INTERRUPTED] = base64.b64encode(sealed).decode()


def drop_interrupted() -> None:
    """Keep none: nobody expects one that was kept before, and who sends this form again is heard."""
    visit().pop(_INTERRUPTED, None)
    double_submits.forget()


def keep_text_for_later() -> bool:
    """Keep the text that was being written when a step came up, such as new terms: its page brings it back, as after sign-in."""
    if request.method != "POST" or not _is_ours():
        return False
    visit()["kept"] = {"path": request.path, "fields": text()}
    return True


def text() -> list[list[str]]:
    """The fields of this form, but for what belongs to the page."""
    return [[name, value] for name, value in request.form.items(multi=True) if name not in _OF_THE_PAGE]


def path_here() -> str:
    """Path and query of this request, as the page has them whose form it may be (`send_to`)."""
    return going_back.without_mark(request.full_path)


def path_of_ours(url: str) -> str:
    """Path and query of a URL on this site; "" for other sites."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    if parts.netloc != request.host:
        return ""
    return parts.path + (f"?{parts.query}" if parts.query else "")


def _is_ours() -> bool:
    """Whether the form comes from one of our pages: its CSRF token is otherwise checked after the guard."""
    try:
        validate_csrf(request.form.get("csrf_token"))
    except ValidationError:
        return False
    return True


def _secret() -> str:
    return str(current_app.extensions["settings"].secret_key)
