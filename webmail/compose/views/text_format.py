"""Text format: whether a new message is plain or formatted, from the URL, the preference and what the browser can do."""

from __future__ import annotations

from flask import request

from webmail.compose.drafts.message_options import FORMATS, FORMATTED
from webmail.mail import Message
from webmail.web.current import preferences


def wanted(message: Message | None = None) -> str:
    """The format of a new text; `message`: the one that it answers or forwards, where that is known by now.

    Where the editor decides (`is_free`), a request of a page with scripts is formatted at once: htmx's, or one of another tab,
    for which static/js/app.js says so.
    """
    named = request.args.get("format")
    if named in FORMATS:
        return named
    if preferences().write_format == FORMATTED or (is_free(message) and _has_scripts()):
        return FORMATTED
    return ""


def _has_scripts() -> bool:
    return bool(request.htmx) or "scripts" in request.args  # type: ignore[attr-defined]


def is_free(message: Message | None = None) -> bool:
    """Whether scripts may make the text a formatted one, since neither the URL nor the preference says otherwise."""
    if request.args.get("format") in FORMATS:
        return False
    choice = preferences().write_format
    return choice == "" or (choice == "same" and (message is None or bool(message.structure.html)))
