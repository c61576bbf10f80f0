"""Preferences pages: display, new mail, archiving and writing preferences; the language switch."""

from __future__ import annotations

from flask import redirect, request, session, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail import preferences as preferred
from webmail.auth.guard import public
from webmail.models import User
from webmail.settings.blueprint import blueprint
from webmail.settings.forms import PreferencesForm
from webmail.web.current import current_user, preferences, settings
from webmail.web.formatting import LANGUAGES
from webmail.web.notices import notify
from webmail.web.rendering import page
from webmail.web.request_values import local_path


@blueprint.get("/settings")
def show() -> Response:
    return page("settings/show.html", form=PreferencesForm.showing(preferences(), settings().page_size, settings().remote_images))


@blueprint.post("/settings")
def save() -> Response:
    form = PreferencesForm()
    if not form.validate():
        return page("settings/show.html", 422, form=form)
    preferred.change(current_user(), **form.chosen())
    notify(_("Your preferences are saved."))
    return redirect(url_for("settings.show"), 303)


@blueprint.post("/settings/language")
@public
def set_language() -> Response:
    """Store the language: in the visitor's cookie before sign-in, in the account afterwards."""
    chosen = request.form.get("language", "")
    if chosen in LANGUAGES:
        user = session.user  # type: ignore[attr-defined]
        if user is None:
            session["language"] = chosen
        else:
            User.update(language=chosen).where(User.id == user.id).execute()
    return redirect(local_path(request.form.get("back", "")) or url_for("auth.login"), 303)
