"""The page of what is on its way: waiting, failed, uncertain, just sent; and the buttons of its rows."""

from __future__ import annotations

import json

from flask import redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail.compose import filing
from webmail.compose import outbox as logic
from webmail.compose.views import blueprint, sealed_credential, wake
from webmail.models import OutboxState
from webmail.web import current_account, current_user, notify, page, settings


@blueprint.get("/outbox")
def outbox() -> Response:
    rows = logic.listing(current_user())
    return page("compose/outbox.html", rows=[(row, json.loads(row.recipients), json.loads(row.refused)) for row in rows])


@blueprint.post("/outbox/<int:outbox_id>")
def change(outbox_id: int) -> Response:
    """undo, retry, edit or dismiss. What comes too late says so and changes nothing."""
    logic.find(current_user(), outbox_id)
    actions = {"undo": _undo, "retry": _retry, "edit": _edit, "dismiss": _dismiss}
    do = actions.get(request.form.get("action", ""))
    return do(outbox_id) if do else redirect(url_for("compose.outbox"), 303)


def _undo(outbox_id: int) -> Response:
    draft_id = logic.undo(current_user(), outbox_id)
    if draft_id is None:
        notify(_("Too late: the message has left."), "caution")
        return redirect(url_for("compose.outbox"), 303)
    notify(_("The message was stopped. Nothing was sent."))
    return redirect(url_for("compose.show", draft_id=draft_id), 303)


def _retry(outbox_id: int) -> Response:
    if logic.retry(current_user(), outbox_id, sealed_credential()):
        wake(logic.find(current_user(), outbox_id))
        notify(_("The message is on its way."))
    return redirect(url_for("compose.outbox"), 303)


def _edit(outbox_id: int) -> Response:
    row = logic.find(current_user(), outbox_id)
    if row.state == OutboxState.SENT:
        draft = filing.draft_for_refused(row, current_user(), current_account(), settings())
        draft_id = draft.id if draft else None
    else:
        draft_id = logic.edit(current_user(), outbox_id, settings())
    if draft_id is None:
        notify(_("The text of this message is no longer here: look in Drafts and Sent."), "caution")
        return redirect(url_for("compose.outbox"), 303)
    return redirect(url_for("compose.show", draft_id=draft_id), 303)


def _dismiss(outbox_id: int) -> Response:
    logic.dismiss(current_user(), outbox_id, sealed_credential())
    wake(logic.find(current_user(), outbox_id))
    return redirect(url_for("compose.outbox"), 303)
