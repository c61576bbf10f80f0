"""What the buttons of the form do, and what becomes of its text when something is in the way: it is never lost."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from typing import IO

from flask import current_app, g, redirect, request, session, url_for
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from werkzeug.wrappers import Response

from webmail.auth.guard import keeps_text
from webmail.compose import (
    address_book,
    attachments,
    draft_copies,
    draft_message,
    drafts,
    identities,
    recipients,
    send_checks,
    templates,
    uploads,
)
from webmail.compose.blueprint import blueprint
from webmail.compose.draft_message import FilesGone
from webmail.compose.drafts import AlreadyLeft, DraftChangedElsewhere
from webmail.compose.fields import fields_of, normalised, revision_of
from webmail.compose.forms import ComposeForm
from webmail.compose.outbox import queue, rate_limits, send_later
from webmail.compose.views.archive_original import archive_answered, asks_to_archive
from webmail.compose.views.attach_contacts import choosing_contacts
from webmail.compose.views.attach_mail import choosing_mail
from webmail.compose.views.editor import (
    LEFT,
    TEMPLATE,
    address_of,
    back_of,
    identity,
    my_identities,
    no_room_words,
    show_form,
    store,
)
from webmail.compose.views.inline_images import put_in
from webmail.compose.views.recipients import choosing, correct, takes_all
from webmail.compose.views.send_later import chosen_time, show_time, too_many_words
from webmail.database.connection import DATABASE_AWAY
from webmail.errors import MailError, NoSuchMessage, ServerAway
from webmail.mail import Draft
from webmail.models import DraftRow, Outbox, OutboxState
from webmail.web.current import current_account, current_user, remember_overview, sealed_credential, settings, wake
from webmail.web.errors import csrf_error, database_error, error_page
from webmail.web.formatting import file_size, long_date
from webmail.web.notices import notify
from webmail.web.rendering import page

SENDING = ("send", "send-anyway", "archive", "later")


@blueprint.post("/compose/<draft_id>")
@keeps_text
def act(draft_id: str) -> Response:
    """Whatever the button, the text is stored first."""
    form = ComposeForm()
    action = request.form.get("action", "save")
    if action.startswith("later-"):
        form.later.data, action = action.removeprefix("later-"), "later"
    elif action != "send-anyway":
        form.later.data = ""
    if action in (*SENDING, "choose"):
        form.fill_in(address_book.with_groups(current_user(), form.lists()))
    if action in SENDING:
        form.complete(settings().domain)
    elif action == "to-bcc":
        form.move_to_bcc()
    elif action == "without-cc":
        form.cc.data = ""
    elif action == "correct":
        correct(form)
    elif action in ("use", "insert", "save", "enter", "choose", "from-mail", "contacts"):
        _apply_choices(form, insert=action == "insert")
    elif action.startswith("picture-"):
        put_in(form, draft_id, _number(action.removeprefix("picture-")))
    if action == "attach" and "body" not in request.form:
        return _attach_alone(draft_id, form)
    about_files = action == "attach" or action.startswith("remove-")
    try:
        row = store(draft_id, form)
    except AlreadyLeft:
        return _has_left(draft_id, form, action)
    except DraftChangedElsewhere as error:
        row = error.row
        if not (about_files and _unchanged(form)):
            return _changed_elsewhere(row, form, action)
    if action == "autosave":
        return _autosave(form, row)
    try:
        refused = _attach(form, row)
    except AlreadyLeft:
        return _has_left(draft_id, form, action)
    if refused and not action.startswith("discard"):
        return show_form(form, row.id, row, status=refused)
    if action in SENDING:
        return _send(form, row, sure=action == "send-anyway", archiving=asks_to_archive(form, action))
    if action == "preview":
        return redirect(url_for("compose.show", draft_id=row.id, back=back_of(form), preview=1, _anchor="rendered"), 303)
    if action in ("discard", "discard-now"):
        return _discard(form, row, sure=action == "discard-now")
    if action.startswith("remove-"):
        attachments.remove(row, _number(action.removeprefix("remove-")), settings())
    elif action == "to-bcc":
        notify(_("All the addresses are in Bcc now. Nothing was sent yet."))
    elif action == "without-cc":
        notify(_("Nobody is in Cc any more. Nothing was sent yet."))
    elif action == "correct":
        notify(_("The address was corrected. Nothing was sent yet."))
    elif action == "choose":
        return redirect(choosing(row, form), 303)
    elif action == "contacts":
        return redirect(choosing_contacts(row, form), 303)
    elif action == "from-mail":
        return redirect(choosing_mail(row, form), 303)
    elif action not in ("attach", "use", "insert") and not action.startswith("picture-"):
        return _save(form, row)
    return redirect(address_of(row, form), 303)


def _apply_choices(form: ComposeForm, *, insert: bool) -> None:
    """The signature and the copies follow the identity that was chosen; the template goes into the text."""
    before, now = (identities.chosen(my_identities(), field.data) for field in (form.applied, form.identity))
    if before.id != now.id:
        form.take(identities.changed(normalised(form.fields()), before, now))
        form.applied.data = now.id
    number = _number(request.form.get("template", ""))
    if insert and number:
        try:
            text = templates.load(current_user(), number)
        except NoSuchMessage:
            notify(_("This template is no longer there."), "caution")
        else:
            form.take(templates.inserted(normalised(form.fields()), text))


def _number(digits: str) -> int:
    """A row's number as a form has it; 0, which no row has, for anything else."""
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 19 else 0


def _attach(form: ComposeForm, row: DraftRow) -> int:
    """Take the files that came. Returns 0, or the status of the answer when one does not fit: the field is marked then."""
    for file in form.files():
        try:
            attachments.add(row, _chunks(file.stream), file.filename or "", file.mimetype or "", settings())
        except uploads.MessageTooLarge:
            words = _(
                "“%(name)s” (%(size)s) was not attached: a message may have %(limit)s in all, and files take a third more.",
                name=file.filename, size=file_size(_size(file.stream)), limit=file_size(settings().message_limit),
            )  # fmt: skip
            form.mark("attachments", words)
            return 422
        except (uploads.AllowanceUsed, uploads.NoRoom) as error:
            current_app.logger.warning("draft %s: %s", row.id, error)
            form.mark("attachments", _("“%(name)s” was not attached.", name=file.filename) + " " + no_room_words(error))
            return error.status
    return 0


def _attach_alone(draft_id: str, form: ComposeForm) -> Response:
    """Files that come by themselves (static/attach.js) while the text is typed on: what the draft holds of it stays as it is."""
    sent = queue.of_draft(current_user(), draft_id)
    if sent is not None and sent.state in LEFT:
        return Response(status=204)
    row = DraftRow.get_or_none((DraftRow.id == draft_id) & (DraftRow.user == current_user())) or store(draft_id, form)
    try:
        refused = _attach(form, row)
    except AlreadyLeft:
        return Response(status=204)
    if refused:
        return show_form(form, row.id, row, status=refused)
    return redirect(address_of(row, form), 303)


def _size(stream: IO[bytes]) -> int:
    return stream.seek(0, os.SEEK_END)


def _chunks(stream: IO[bytes]) -> Iterator[bytes]:
    while chunk := stream.read(uploads.CHUNK):
        yield chunk


def _send(form: ComposeForm, row: DraftRow, *, sure: bool, archiving: bool) -> Response:
    if drafts.total_size(row) > settings().message_limit:
        form.mark("attachments", _("The message is too large: remove a file."))
    if form.identity.data and not identities.named(my_identities(), form.identity.data):
        form.mark("identity", _("You can't write as the one you had chosen any more. Look at who the message is from now."))
    at = chosen_time(form)
    if not form.check() or not takes_all(form, draft_message.as_draft(row, identity(row), settings())):
        return show_form(form, row.id, row, status=422)
    slips = [] if sure else recipients.likely_typos(current_user(), form.lists().values(), settings())
    form.archive.data = "1" if archiving else ""
    asked = [] if sure else send_checks.cautions(_without_signature(row), current_user().domain)
    if slips or asked:
        return show_form(
            form, row.id, row, status=422, asked=[*([send_checks.SendWarning.SLIP] if slips else []), *asked], slips=slips
        )
    try:
        sent = queue.enqueue(
            row, current_account(), identity(row), settings(), sealed_credential(), at=at, dsn=bool(row.delivery_receipt)
        )
    except DraftChangedElsewhere as error:
        return _overtaken(form, error.row, sure=sure, archiving=archiving)
    except rate_limits.RecipientLimitReached as error:
        form.mark("to", too_many_words(error))
        if error.possible:
            show_time(form, error.possible)
        return show_form(form, row.id, row, status=422, offering=bool(error.possible))
    except FilesGone:
        form.mark("attachments", _("A file is no longer here: remove it and attach it again."))
        return show_form(form, row.id, row, status=422)
    except uploads.NoRoom as error:
        current_app.logger.error("draft %s is not sent: %s", row.id, error)
        form.mark("attachments", no_room_words(error))
        return show_form(form, row.id, row, status=error.status)
    if archiving:
        archive_answered(sent, row)
    wake(sent)
    say_sent(sent)
    return redirect(back_of(form), 303)


def _overtaken(form: ComposeForm, row: DraftRow, *, sure: bool, archiving: bool) -> Response:
    """The draft was written in while its message was built, so nothing was sent."""
    same = fields_of(row) == normalised(form.fields())
    if not same and row.writer == form.name:  # this form's own autosave, with what it had before
        return _send(form, store(row.id, form), sure=sure, archiving=archiving)
    if not same:
        form.revision.data = ""  # it is not what this form was shown with any more
    return _changed_elsewhere(row, form, "send")


def _without_signature(row: DraftRow) -> Draft:
    """The draft as a person wrote it: what a signature speaks of is no caution."""
    return replace(draft_message.as_draft(row, identity(row), settings()), text=identities.unsigned(row.body, current_user()))


def _save(form: ComposeForm, row: DraftRow) -> Response:
    try:
        if drafts.unsaved(row):
            draft_copies.save(row, current_account(), identity(row), settings())
    except MailError as error:
        current_app.logger.warning("draft %s is not in Drafts: %s", row.id, error)
        if isinstance(error, ServerAway):
            remember_overview(None)  # the side bar would wait for the same server again
        notify(_("Your text is kept on this page, but the mail server did not take a copy for the Drafts folder."), "danger")
        return show_form(form, row.id, row, status=error.status)
    return redirect(address_of(row, form), 303)


def _autosave(form: ComposeForm, row: DraftRow, *, elsewhere: bool = False) -> Response:
    """While one types: the text is in the row already; the server's copy follows now and then. Never disturbs, never fails.

    Without HTMX it is the page being left: nobody reads the answer, and the copy follows at once. `elsewhere`: the text is in
    a draft of its own, because another window wrote in the one that the form is of.
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


def _discard(form: ComposeForm, row: DraftRow, *, sure: bool) -> Response:
    if not sure and not drafts.is_empty(row):
        return show_form(form, row.id, row, status=422, discarding=True)
    draft_copies.discard(row, current_account(), settings())
    if failed := queue.of_draft(current_user(), row.id):
        queue.dismiss(current_user(), failed.id)
    notify(_("The message was discarded."))
    return redirect(back_of(form), 303)


# --- what is in the way ----------------------------------------------------------------------------------------------


def _has_left(draft_id: str, form: ComposeForm, action: str) -> Response:
    """A second click on "Send" changes nothing. Another text than the one that left becomes a message of its own."""
    sent = queue.of_draft(current_user(), draft_id)
    overtaken = action == "autosave" or request.headers.get("HX-Target") in ("saved", "attachments")
    if overtaken:  # it was on its way when "Send" was pressed
        return Response(status=204)
    if sent is not None and (action.startswith("discard") or queue.is_same(sent, form.fields())):
        say_sent(sent)
        return redirect(back_of(form), 303)
    row = drafts.new(current_user(), form.fields())
    _attach(form, row)
    notify(_("The message you sent before has left already. This is a new one, with your present text."), "caution")
    return redirect(address_of(row, form), 303)


def _unchanged(form: ComposeForm) -> bool:
    """Whether the form has the text that it was shown with."""
    return revision_of(form.fields()) == form.revision.data


def _changed_elsewhere(row: DraftRow, form: ComposeForm, action: str) -> Response:
    """Another window wrote in this draft: that stays, and so does what was typed here, as a draft of its own."""
    if _unchanged(form) and action != "autosave":
        notify(_("This draft was changed in another window: here is its latest text. Nothing else was done."), "caution")
        return redirect(address_of(row, form), 303)
    own = drafts.apart(row, form.fields(), form.name, settings())
    if action == "autosave":
        return _autosave(form, own, elsewhere=True)
    refused = _attach(form, own)
    words = _("This draft was changed in another window. Nothing was overwritten or sent: your text is a draft of its own now.")
    notify(words, "caution")
    session["notices"][-1]["link"] = {"url": address_of(row, form), "text": _("Open the other one")}
    if request.headers.get("HX-Target") == "attachments":  # only the list of files would be replaced
        return Response(status=204, headers={"HX-Redirect": address_of(own, form)})
    if refused:
        return show_form(form, own.id, own, status=refused)
    return _discard(form, own, sure=False) if action.startswith("discard") else _save(form, own)


@blueprint.errorhandler(CSRFError)
def stale_form(error: CSRFError) -> Response:
    """The session changed since the form was made: nothing is done, and the text comes back in a form of today's."""
    if request.endpoint != "compose.act":
        return csrf_error(error)
    form, piece = ComposeForm(), request.headers.get("HX-Target") in ("saved", "attachments")  # which leave the form as it is
    if request.form.get("action") != "autosave":  # the next one has today's token
        notify(_("You signed in again since this form was opened. Nothing was done yet: press the button once more."), "caution")
    if form.files():
        notify(_("Files are to be chosen again."), "caution")
    draft_id = (request.view_args or {})["draft_id"]
    mine = DraftRow.get_or_none((DraftRow.id == draft_id) & (DraftRow.user == current_user()))
    return show_form(form, draft_id, mine, status=400, fresh_token=piece)


def nothing_saved(error: Exception) -> Response:
    """The database is locked or away: the form comes back with all that was typed, on a page that asks the database nothing."""
    if request.endpoint != "compose.act":
        return database_error(error)
    current_app.logger.error("the database can't be used, so a draft is not saved: %s", error)
    title, advice = _("Nothing was saved yet"), _("Your text is still here. Wait a moment, then press the button again.")
    if request.htmx:  # type: ignore[attr-defined]
        return error_page(title, advice, 503)  # a notice: the page stays as it is
    g.csrf_token = request.form.get("csrf_token", "")  # that of the form is still good; another one could not be kept
    form = ComposeForm()
    if form.files():
        advice += " " + _("Files are to be chosen again.")
    return page(
        TEMPLATE, 503, layout="compose/_alone.html", problem=f"{title}. {advice}", form=form, files=[], row=None, identity=None,
        draft_id=(request.view_args or {})["draft_id"],
    )  # fmt: skip


for _kind in DATABASE_AWAY:
    blueprint.register_error_handler(_kind, nothing_saved)


# --- sent ------------------------------------------------------------------------------------------------------------


def say_sent(sent: Outbox) -> None:
    """Once, even when two clicks get here."""
    seconds = queue.undo_seconds(current_user(), settings())
    undo = None
    poll = None
    words = _("The message is on its way.")
    if send_later.waits(sent):
        undo = (url_for("compose.change", outbox_id=sent.id), {"action": "undo"})
        words = _("The message leaves on %(when)s.", when=long_date(sent.due))
    elif sent.state == OutboxState.WAITING and seconds:
        undo = (url_for("compose.change", outbox_id=sent.id), {"action": "undo"})
        words = _("The message leaves in %(seconds)d seconds.", seconds=seconds)
    elif sent.state == OutboxState.SENT:
        words = _("This message has left already. It was not sent a second time.")
    if sent.state in (OutboxState.WAITING, OutboxState.SENDING) and not send_later.waits(sent):
        poll = (url_for("compose.state", outbox_id=sent.id), seconds + 2)
    waiting = session.get("notices", [])
    if not any(notice["text"] == words and (notice["undo"] or [""])[0] == (undo or [""])[0] for notice in waiting):
        notify(words, undo=undo, keep=seconds if undo else 0)
        if poll:  # with scripts the outcome takes the notice's place (templates/_notices.html)
            session["notices"][-1]["poll"] = poll
