"""Overview page: what is watched, for the administrators of all; tasks that failed can be begun again."""

from __future__ import annotations

from flask import Response, current_app, redirect, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from webmail.admin.blueprint import blueprint
from webmail.admin.views.access import whole_installation
from webmail.admin.watching import check_notes, check_texts, overview
from webmail.models import AuditAct
from webmail.tasks import store
from webmail.web.audit import audited
from webmail.web.current import settings
from webmail.web.notices import notify
from webmail.web.rendering import page


@blueprint.get("/overview")
def overview_page() -> Response:
    """A dozen SELECTs, besides those of /healthz?full once in five seconds."""
    whole_installation()
    found = overview.of_now(settings(), current_app.extensions["health"].latest())
    language = str(get_locale())
    return page(
        "admin/watching/overview.html",
        found=found,
        parts=[(part, check_texts.in_readers_language(part.message)) for part in found.parts],
        part_title=check_texts.title,
        said=lambda note: check_notes.said(note, language),
    )


@blueprint.post("/overview/tasks")
def retry_task() -> AnyResponse:
    """Have one that failed go on where it stopped."""
    whole_installation()
    if store.begin_again(request.form.get("task", "")[:32]):
        if jobs := current_app.extensions.get("jobs"):
            jobs.wake_tasks()
        audited(AuditAct.TASK_RETRIED, request.form["task"][:32])
        notify(_("It resumes where it stopped."))
    else:
        notify(_("It has not failed, or is no longer there."), "plain")
    return redirect(url_for("admin.overview_page"), 303)
