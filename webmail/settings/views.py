"""Preferences: for now, the language."""

from __future__ import annotations

from flask import Blueprint, redirect, request, session, url_for
from werkzeug.wrappers import Response

from webmail.auth.guard import public
from webmail.models import User
from webmail.web import LANGUAGES, local_path

blueprint = Blueprint("settings", __name__)


@blueprint.post("/settings/language")
@public
def set_language() -> Response:
    """Before sign-in the choice lives in the visitor's cookie, afterwards in the account."""
    chosen = request.form.get("language", "")
    if chosen in LANGUAGES:
        user = session.user  # type: ignore[attr-defined]
        if user is None:
            session["language"] = chosen
        else:
            User.update(language=chosen).where(User.id == user.id).execute()
    return redirect(local_path(request.form.get("back", "")) or url_for("auth.login"), 303)
