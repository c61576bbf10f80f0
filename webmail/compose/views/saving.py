"""Saving: saves the copy in Drafts, on demand or by autosave, and discards drafts."""

from __future__ import annotations

from flask import redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail.compose.drafts import draft_copies, drafts
from webmail.compose.forms import ComposeForm
from webmail.compose.outbox import queue
from webmail.compose.views.drafts_folder import put_into_drafts
from webmail.compose.views.editor import (
    address_of,
    back_of,
    show_form,
)
from webmail.models import DraftRow
from webmail.web.current import current_account, current_user, settings
from webmail.web.notices import notify


def save(form: ComposeForm, row: DraftRow) -> Response:
    """The form says whether it is in Drafts now (`draft_state`)."""
    put_into_drafts(row, insist=True)
    return redirect(address_of(row, form), 303)


def autosave(form: ComposeForm, row: DraftRow, *, elsewhere: bool = False) -> Response:
    """Autosave while the user types: the row has the text already; the copy in Drafts is updated now and then. Never fails.

    Without HTMX the page is being left: the response is ignored, and the copy is updated at once. `elsewhere`: the text is in a
    separate draft, because the form's own was changed in another window.
    """
    leaving = not request.htmx  # type: ignore[attr-defined]
    if drafts.copy_is_due(row, leaving=leaving):
        put_into_drafts(row)
    if leaving:
        return Response(status=204)
    response = show_form(form, row.id, row, elsewhere=elsewhere)
    response.headers["HX-Replace-Url"] = url_for("compose.show", draft_id=row.id)
    return response


def discard(form: ComposeForm, row: DraftRow, *, sure: bool) -> Response:
    if not sure and not drafts.is_empty(row):
        put_into_drafts(row)
        return show_form(form, row.id, row, status=422, discarding=True)
    draft_copies.discard(row, current_account(), settings())
    if failed := queue.of_draft(current_user(), row.id):
        queue.dismiss(current_user(), failed.id)
    notify(_("Draft discarded."))
    return redirect(back_of(form), 303)
