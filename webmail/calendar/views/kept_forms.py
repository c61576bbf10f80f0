"""Forms of events that wait while a file is sent as a link: kept, and shown again with the link."""

from __future__ import annotations

from flask import redirect, request
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as Answer

from webmail.auth.sessions import interrupted_forms
from webmail.calendar import form_store
from webmail.calendar.blueprint import blueprint
from webmail.web.current import current_user
from webmail.web.forms import link_errand
from webmail.web.notices import notify
from webmail.web.templates.addresses import url_for

_LONGEST = 4000  # characters of a link


def send_file(path: str) -> Answer:
    """Keep the form that was sent, of the page at `path`, and lead to the page that sends files."""
    typed = [(name, value) for name, value in interrupted_forms.text() if name != "kept"]
    name = form_store.keep(current_user(), path, typed)
    form_store.forget(current_user(), request.form.get("kept", ""))
    return redirect(link_errand.remember_return(url_for("calendar.kept_form", name=name)), 303)


def kept_fields(name: str) -> MultiDict[str, str] | None:
    """What was typed on the form that is kept under this name, for the page that it was on."""
    found = form_store.load(current_user(), name) if name else None
    return MultiDict([*found[1], ("kept", name)]) if found is not None else None


def saved() -> None:
    """The event of the form that was sent is in the calendar now."""
    if name := request.form.get("kept", ""):
        form_store.forget(current_user(), name)


@blueprint.get("/calendar/forms/<name>")
def kept_form(name: str) -> Answer:
    """Back without a link."""
    return _back(name)


@blueprint.post("/calendar/forms/<name>")
def take_link(name: str) -> Answer:
    """Back with one."""
    link = request.form.get("link", "")[:_LONGEST]
    if link and form_store.add(current_user(), name, ("link", link)):
        notify(_("The link is in the event. It is not saved yet."))
    return _back(name)


def _back(name: str) -> Answer:
    link_errand.end()
    found = form_store.load(current_user(), name)
    if found is None:
        notify(_("What you typed is no longer available."), "caution")
        return redirect(url_for("calendar.show"), 303)
    path = found[0]
    return redirect(f"{path}{'&' if '?' in path else '?'}form={name}", 303)
