"""Conflicts: the draft was sent or changed elsewhere, the session ended, the database is unavailable; text is never lost."""

from __future__ import annotations

from flask import current_app, g, redirect, request
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from werkzeug.wrappers import Response

from webmail.compose.blueprint import blueprint
from webmail.compose.drafts import drafts
from webmail.compose.drafts.fields import revision_of
from webmail.compose.forms import ComposeForm
from webmail.compose.large_files import large_files
from webmail.compose.outbox import queue
from webmail.compose.views.attachments.attach_files import attach_files
from webmail.compose.views.drafts_folder import put_into_drafts
from webmail.compose.views.editor import (
    TEMPLATE,
    address_of,
    back_of,
    no_room_words,
    show_form,
)
from webmail.compose.views.outbox.sent_notice import say_sent
from webmail.compose.views.saving import autosave, discard, save
from webmail.database import connection, trouble
from webmail.database.connection import DATABASE_AWAY
from webmail.database.trouble import DatabaseTrouble
from webmail.models import DraftRow
from webmail.storage import StorageAwayError
from webmail.web.current import current_user, settings
from webmail.web.forms.form_reader import TooManyFields
from webmail.web.notices import notify
from webmail.web.rendering import page
from webmail.web.responses.errors import csrf_error, database_error, database_words, error_page, mail_error, too_many_fields
from webmail.web.responses.unavailable import because


def has_left(draft_id: str, form: ComposeForm, action: str) -> Response:
    """Handle a form whose draft was sent: a second click on "Send" changes nothing; a different text becomes a new message."""
    sent = queue.of_draft(current_user(), draft_id)
    overtaken = action == "autosave" or request.headers.get("HX-Target") in ("saved", "attachments")
    if overtaken:  # a background request that "Send" overtook
        return Response(status=204)
    if sent is not None and (action.startswith("discard") or queue.is_same(sent, form.fields())):
        say_sent(sent)
        return redirect(back_of(form), 303)
    row = drafts.new(current_user(), form.fields())
    attach_files(form, row)
    put_into_drafts(row)
    notify(_("The earlier version has already been sent. This is a new message with your latest text."), "caution")
    return redirect(address_of(row, form), 303)


def is_unchanged(form: ComposeForm) -> bool:
    """Whether the form has the text that it was rendered with."""
    return revision_of(form.fields()) == form.revision.data


def changed_elsewhere(row: DraftRow, form: ComposeForm, action: str) -> Response:
    """Handle a draft that was changed in another window: that text stays, and the one typed here becomes a separate draft."""
    if is_unchanged(form) and action != "autosave":
        notify(_("This draft was changed in another window. Here is the latest version: check it, then try again."), "caution")
        return redirect(address_of(row, form), 303)
    own = drafts.apart(row, form.fields(), form.name, settings())
    if action == "autosave":
        return autosave(form, own, elsewhere=True)
    refused = attach_files(form, own)
    words = _("This draft was changed in another window. Nothing was overwritten or sent: your text is now a separate draft.")
    notify(words, "caution", link={"url": address_of(row, form), "text": _("Open the other draft")})
    put_into_drafts(own)
    if request.headers.get("HX-Target") == "attachments":  # only the list of files would be replaced
        return Response(status=204, headers={"HX-Redirect": address_of(own, form)})
    if refused:
        return show_form(form, own.id, own, status=refused)
    return discard(form, own, sure=False) if action.startswith("discard") else save(form, own)


@blueprint.errorhandler(CSRFError)
def stale_form(error: CSRFError) -> Response:
    """The form has a stale CSRF token, from an earlier session: do nothing, and return the text in a fresh form."""
    if request.endpoint != "compose.act":
        return csrf_error(error)
    form, piece = ComposeForm(), request.headers.get("HX-Target") in ("saved", "attachments")  # these don't replace the form
    if request.form.get("action") != "autosave":  # the next autosave has the fresh token
        notify(_("You signed in again after opening this form. Nothing has been done yet: press the button again."), "caution")
    if form.files():
        notify(_("You will need to choose your files again."), "caution")
    draft_id = (request.view_args or {})["draft_id"]
    mine = DraftRow.get_or_none((DraftRow.id == draft_id) & (DraftRow.user == current_user()))
    return show_form(form, draft_id, mine, status=400, fresh_token=piece)


@blueprint.errorhandler(StorageAwayError)
def files_away(error: StorageAwayError) -> Response:
    """The draft's files can't be reached: nothing was sent; return the form with all that was typed."""
    if request.endpoint != "compose.act":
        return mail_error(error)
    current_app.logger.error("the storage can't be used: %s", error)
    form, draft_id = ComposeForm(), (request.view_args or {})["draft_id"]
    form.mark("attachments", no_room_words(error) + " " + _("Nothing was sent. Your text is still here."))
    mine = DraftRow.get_or_none((DraftRow.id == draft_id) & (DraftRow.user == current_user()))
    return show_form(form, draft_id, mine, status=error.status)


def nothing_saved(error: Exception) -> Response:
    """The database is locked or unavailable: return the form with all that was typed, on a page that needs no database."""
    if request.endpoint != "compose.act":
        return database_error(error)
    current_app.logger.error("a draft is not saved, the database %s", connection.advice(error))
    because("the database can't be used")
    title, advice = _("Not saved yet"), _("Your text is still here. Wait a moment, then try again.")
    if request.htmx:  # type: ignore[attr-defined]
        return error_page(title, advice, 503)  # only a notice: the page stays as it is
    g.csrf_token = request.form.get("csrf_token", "")  # the form's token is still valid; a new one could not be stored
    if trouble.trouble_of(error) is not DatabaseTrouble.AWAY:
        advice = _("Your text is still here. Copy it to be safe.") + " " + database_words(error)
    form = ComposeForm()
    if form.files():
        advice += " " + _("You will need to choose your files again.")
    return page(
        TEMPLATE, 503, layout="compose/_alone.html", problem=f"{title}. {advice}", form=form, files=[], row=None, identity=None,
        draft_id=(request.view_args or {})["draft_id"],
    )  # fmt: skip


for _kind in DATABASE_AWAY:
    blueprint.register_error_handler(_kind, nothing_saved)


@blueprint.errorhandler(413)
def too_large(error: Exception | None = None) -> Response:
    """A form beyond what is read at all, so that nothing of it is here: the browser still has the text, one page back."""
    if isinstance(error, TooManyFields):
        return too_many_fields()
    if request.htmx:  # type: ignore[attr-defined]
        advice = _("Choose smaller files and try again.")  # its page stays
    else:
        advice = _("Your message is safe: go back in your browser to find it, then attach a smaller file.")
    if large_files.are_offered(current_user(), settings()):
        advice += " " + _("“Large files” below the recipients accepts files of any size and sends them as a link.")
    return error_page(_("Files too large"), advice, 413)
