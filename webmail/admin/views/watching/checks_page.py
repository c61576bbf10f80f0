"""Checks page: all that the doctor found when the worker last asked it, in the reader's language; *Check now* asks again."""

from __future__ import annotations

from flask import Response, redirect, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from webmail.admin.blueprint import blueprint
from webmail.admin.notifications import check_changes
from webmail.admin.views.access import whole_installation
from webmail.admin.watching import check_notes, check_requests, check_states, check_texts
from webmail.tasks import heartbeat
from webmail.web.current import settings
from webmail.web.notices import notify
from webmail.web.rendering import page


@blueprint.get("/checks")
def checks_page() -> Response:
    """4 SELECTs; no server is asked."""
    whole_installation()
    notes, language = check_notes.listed(), str(get_locale())
    return page(
        "admin/watching/checks.html",
        notes=[(note, check_texts.title(note.name), check_texts.as_sentence(check_notes.said(note, language))) for note in notes],
        wrong=sum(note.state != "ok" for note in notes),
        looked=max((note.at for note in notes), default=None),
        since=check_states.since(),
        checking=check_requests.is_open(check_requests.DOCTOR),
        worker=heartbeat.is_alive(heartbeat.last_seen()),
        mailed=check_changes.is_on(settings()),
    )


@blueprint.post("/checks")
def check_all() -> AnyResponse:
    """Twice is once."""
    whole_installation()
    check_requests.ask(check_requests.DOCTOR)
    notify(_("Everything is being checked. Reload this page in a minute."))
    return redirect(url_for("admin.checks_page"), 303)
