"""The page of tasks: a person's long work, with its progress, and buttons to stop it, fetch its result and take it off."""

from __future__ import annotations

from flask import Response, abort, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as Answer

from webmail.accounts import data_export
from webmail.accounts.blueprint import blueprint
from webmail.auth.guard import confirm_first
from webmail.models import AuditAct, TaskState
from webmail.storage import FileGoneError, open_storage
from webmail.tasks import heartbeat, leftovers, store
from webmail.web.audit import audited
from webmail.web.current import current_user, settings
from webmail.web.notices import notify
from webmail.web.rendering import fragment, page
from webmail.web.responses import downloads
from webmail.web.texts.task_texts import row_of


@blueprint.get("/tasks")
def tasks() -> Response:
    rows = [row_of(task) for task in store.listing(current_user())]
    waits = any(row.open for row in rows) and heartbeat.tasks_are_left()
    return page("accounts/tasks.html", rows=rows, under_way=any(row.open for row in rows), nobody_works=waits)


@blueprint.get("/tasks/<task_id>/state")
def task_state(task_id: str) -> Response:
    """What a notice says of a task while it goes on, and at its end."""
    try:
        row = row_of(store.find(current_user(), task_id))
    except store.NoSuchTaskError:
        abort(404)
    return fragment("accounts/_task_state.html", row=row)


@blueprint.post("/tasks/<task_id>")
def change_task(task_id: str) -> Answer:
    """`action`: cancel, or remove from the list."""
    try:
        if request.form.get("action") == "cancel":
            stopped = _stop(task_id)
            words = _("It will stop in a moment.") if stopped else _("Too late: the task has already finished.")
            notify(words, "done" if stopped else "caution")
        elif request.form.get("action") == "remove":
            if gone := store.remove(current_user(), task_id):
                leftovers.remove(gone.id, settings())
            else:
                notify(_("This task is still running. Stop it first."), "caution")
    except store.NoSuchTaskError:
        pass  # a second click: it is off the list already
    return redirect(url_for("accounts.show_data" if request.form.get("back") == "data" else "accounts.tasks"), 303)


def _stop(task_id: str) -> bool:
    """Whether the task stops. One that was waiting has ended with it, and what it was given goes at once."""
    stopped = store.cancel(current_user(), task_id)
    if store.find(current_user(), task_id).state == TaskState.CANCELLED:
        leftovers.remove(task_id, settings())
    return stopped


@blueprint.get("/tasks/<task_id>/result")
def task_result(task_id: str) -> Answer:
    """The file that a task made. Kept for some days after its end. One's own data is given to nobody who has a stolen cookie."""
    try:
        task = store.find(current_user(), task_id)
    except store.NoSuchTaskError:
        abort(404)
    result = store.result_of(task)
    if task.state != TaskState.DONE or "file" not in result:
        abort(404)
    if task.kind == data_export.NAME and (elsewhere := confirm_first(back=url_for("accounts.show_data"))):
        return elsewhere
    files = open_storage(settings())
    try:
        size, content = files.size(result["file"]), files.get(result["file"])
    except FileGoneError:
        abort(410)
    if task.kind == data_export.NAME:
        audited(AuditAct.OWN_DATA_FETCHED, current_user().address)
    response = Response(content, content_type=result.get("type", "application/octet-stream"))
    response.headers["Content-Length"] = str(size)
    response.headers["Content-Disposition"] = downloads.disposition(result.get("name", "result"))
    response.headers["Content-Security-Policy"] = downloads.POLICY
    response.headers["Cache-Control"] = "no-store"
    return response
