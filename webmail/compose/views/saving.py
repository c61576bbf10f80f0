"""Saving: saves the copy in Drafts, on demand or by autosave, and discards drafts."""

from __future__ import annotations

from flask import current_app, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail.compose import (
    draft_copies,
    drafts,
)
from webmail.compose.forms import ComposeForm
from webmail.compose.outbox import queue
from webmail.compose.views.editor import (
    address_of,
    back_of,
    identity,
    show_form,
)
from webmail.errors import MailError, ServerAway
from webmail.models import DraftRow
from webmail.storage import StorageAway
from webmail.web.current import current_account, current_user, remember_overview, settings
from webmail.web.notices import notify


def save(form: ComposeForm, row: DraftRow) -> Response:
    try:
        if drafts.unsaved(row):
            draft_copies.save(row, current_account(), identity(row), settings())
    except MailError as error:
        current_app.logger.warning("draft %s is not in Drafts: %s", row.id, error)
        if isinstance(error, ServerAway):
            remember_overview(None)  # the side bar would wait for the same server again
        notify(_no_copy_words(error), "danger")
        return show_form(form, row.id, row, status=error.status)
    return redirect(address_of(row, form), 303)


def _no_copy_words(error: MailError) -> str:
    if isinstance(error, StorageAway):
        return _("Your text is kept on this page, but the server can't reach its files to put a copy in the Drafts folder.")
    return _("Your text is kept on this page, but the mail server did not take a copy for the Drafts folder.")


def autosave(form: ComposeForm, row: DraftRow, *, elsewhere: bool = False) -> Response:
    """Autosave while the user types: the row has the text already; the copy in Drafts is updated now and then. Never fails.

    Without HTMX the page is being left: the response is ignored, and the copy is updated at once. `elsewhere`: the text is in a
    separate draft, because the form's own was changed in another window.
    """
    leaving = not request.htmx  # type: ignore[attr-defined]
    if drafts.copy_is_due(row, leaving=leaving):
        try:
            draft_copies.save(row, current_account(), identity(row), settings())
        except MailError as error:
            current_app.logger.info("draft %s is not in Drafts yet: %s", row.id, error)
    if leaving:
        return Response(status=204)
    response = show_form(form, row.id, row, elsewhere=elsewhere)
    response.headers["HX-Replace-Url"] = url_for("compose.show", draft_id=row.id)
    return response


def discard(form: ComposeForm, row: DraftRow, *, sure: bool) -> Response:
    if not sure and not drafts.is_empty(row):
        return show_form(form, row.id, row, status=422, discarding=True)
    draft_copies.discard(row, current_account(), settings())
    if failed := queue.of_draft(current_user(), row.id):
        queue.dismiss(current_user(), failed.id)
    notify(_("The message was discarded."))
    return redirect(back_of(form), 303)
