"""Writing a message: the form, answers, what its buttons do. The outbox's page is in `outbox_views.py`.

A form carries the random id of its draft; the row is made by the first POST, so that a GET, which a browser may send ahead of
a click, leaves nothing behind. Only what brings files along (forward, resume) makes its row at once, and finds it again when
asked twice.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import IO, cast
from urllib.parse import urlsplit

from flask import Blueprint, current_app, g, redirect, request, session, url_for
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from webmail import imap
from webmail.account import Password
from webmail.auth import vault
from webmail.auth.guard import keeps_text
from webmail.compose import cautions, copies, drafts, outbox, uploads
from webmail.compose import reply as replies
from webmail.compose.drafts import AlreadyLeft, Fields
from webmail.compose.forms import ComposeForm
from webmail.mail import Identity, MailError, Message, NoSuchMessage, ServerAway
from webmail.models import DraftRow, Outbox, OutboxState
from webmail.web import (
    csrf_error,
    current_account,
    current_user,
    file_size,
    local,
    local_path,
    long_date,
    notify,
    page,
    remember_overview,
    settings,
    short_date,
)

blueprint = Blueprint("compose", __name__)

_LEFT = (OutboxState.WAITING, OutboxState.SENDING, OutboxState.SENT, OutboxState.UNCERTAIN)
_TEMPLATE = "compose/show.html"


# --- opening the form ------------------------------------------------------------------------------------------------


@blueprint.get("/compose")
def new() -> Response:
    """An empty message, or the one that a mailto link (RFC 6068) asks for."""
    to, cc, bcc, subject, body = (request.args.get(name, "")[:100_000] for name in ("to", "cc", "bcc", "subject", "body"))
    return _form(ComposeForm.holding(Fields(to, cc, bcc, subject, body), _came_from()), drafts.new_id())


@blueprint.get("/compose/<draft_id>")
def show(draft_id: str) -> Response:
    user = current_user()
    if session.get("kept", {}).get("path") == request.path:
        return _bring_back(draft_id, session.pop("kept")["fields"])
    sent = outbox.of_draft(user, draft_id)
    if sent is not None and sent.state in _LEFT:
        return redirect(url_for("compose.outbox"), 303)
    row = drafts.load(user, draft_id)
    return _form(ComposeForm.holding(drafts.fields_of(row), _came_from()), draft_id, row)


@blueprint.get("/reply/<int:uid>/<path:mailbox>")
def reply(uid: int, mailbox: str) -> Response:
    message, text = _original(uid, mailbox)
    everyone = bool(request.args.get("all"))
    fields = replies.reply(message, _identity(), _attribution(message), text, everyone=everyone)
    return _form(ComposeForm.holding(fields, url_for("mailbox.show", mailbox=mailbox)), drafts.new_id())


@blueprint.get("/forward/<int:uid>/<path:mailbox>")
def forward(uid: int, mailbox: str) -> Response:
    message, text = _original(uid, mailbox)
    whole = request.args.get("as") == "attachment"
    fields = replies.forward_attached(message) if whole else replies.forward_inline(message, _forward_heading(message), text)
    carry = replies.carry_whole if whole else replies.carry
    if not whole and not (message.structure.attachments or message.structure.inline):
        return _form(ComposeForm.holding(fields, url_for("mailbox.show", mailbox=mailbox)), drafts.new_id())
    row = drafts.untouched(current_user(), fields) or drafts.new(current_user(), fields)
    try:
        if not row.attachments.exists():
            carry(row, current_account(), message, settings())
            drafts.leave_untouched(row)
    except uploads.TooLarge:
        notify(_("Not all of its attachments fit into one message: choose those that you need."), "caution")
    return redirect(url_for("compose.show", draft_id=row.id, back=url_for("mailbox.show", mailbox=mailbox)), 303)


@blueprint.get("/draft/<int:uid>/<path:mailbox>")
def resume(uid: int, mailbox: str) -> Response:
    """Go on with a message of the Drafts folder."""
    row = copies.resume(current_user(), current_account(), mailbox, uid, _uidvalidity(), settings())
    return redirect(url_for("compose.show", draft_id=row.id, back=url_for("mailbox.show", mailbox=mailbox)), 303)


# --- the buttons -----------------------------------------------------------------------------------------------------


@blueprint.post("/compose/<draft_id>")
@keeps_text
def act(draft_id: str) -> Response:
    """Whatever the button, the text is stored first."""
    form = ComposeForm()
    action = request.form.get("action", "save")
    if action in ("send", "send-anyway"):
        form.complete(settings().domain)
    elif action == "to-bcc":
        form.move_to_bcc()
    try:
        row = _store(draft_id, form.fields())
    except AlreadyLeft:
        return _has_left(draft_id, form, action)
    if action == "autosave":
        return _autosave(form, row)
    attached = _attach(form, row)
    if action in ("send", "send-anyway"):
        return _send(form, row, sure=action == "send-anyway")
    if action in ("discard", "discard-now"):
        return _discard(form, row, sure=action == "discard-now")
    if action.startswith("remove-") and action[7:].isascii() and action[7:].isdigit():
        drafts.remove_attachment(row, int(action[7:]), settings())
    elif action == "to-bcc":
        notify(_("All the addresses are in Bcc now. Nothing was sent yet."))
    elif action != "attach":
        return _save(form, row)
    if not attached:
        return _form(form, row.id, row, status=422)
    return redirect(_url(row, form), 303)


@blueprint.errorhandler(CSRFError)
def stale_form(error: CSRFError) -> Response:
    """The session changed since the form was made: nothing is done, and the text comes back in a form of today's."""
    if request.endpoint != "compose.act":
        return csrf_error(error)
    notify(_("You signed in again since this form was opened. Nothing was done yet: press the button once more."), "caution")
    draft_id = (request.view_args or {})["draft_id"]
    mine = DraftRow.get_or_none((DraftRow.id == draft_id) & (DraftRow.user == current_user()))
    return _form(ComposeForm(), draft_id, mine, status=400)


def _bring_back(draft_id: str, kept: list[list[str]]) -> Response:
    """The text that was being sent when the session had ended, as a draft again."""
    form = ComposeForm(formdata=MultiDict((name, value) for name, value in kept))
    try:
        row = _store(draft_id, form.fields())
    except (AlreadyLeft, NoSuchMessage):
        row = drafts.new(current_user(), form.fields())
    notify(_("Here is your text again. Nothing was sent."), "caution")
    return _form(form, row.id, row)


def _store(draft_id: str, fields: Fields) -> DraftRow:
    """Raises AlreadyLeft, NoSuchMessage (an id of somebody else, or no id)."""
    sent = outbox.of_draft(current_user(), draft_id)
    if sent is not None and sent.state in _LEFT:
        raise AlreadyLeft(f"draft {draft_id} has left")
    return drafts.store(current_user(), draft_id, fields)


def _attach(form: ComposeForm, row: DraftRow) -> bool:
    """Take the files that came; False, with the field marked, when they are too large."""
    for file in form.files():
        try:
            drafts.add_attachment(row, _chunks(file.stream), file.filename or "", file.mimetype or "", settings())
        except uploads.TooLarge:
            words = _(
                "“%(name)s” (%(size)s) was not attached: a message may have %(limit)s in all, and files take a third more.",
                name=file.filename, size=file_size(_size(file.stream)), limit=file_size(settings().message_limit),
            )  # fmt: skip
            form.mark("attachments", words)
            return False
    return True


def _size(stream: IO[bytes]) -> int:
    return stream.seek(0, os.SEEK_END)


def _chunks(stream: IO[bytes]) -> Iterator[bytes]:
    while chunk := stream.read(uploads.CHUNK):
        yield chunk


def _send(form: ComposeForm, row: DraftRow, *, sure: bool) -> Response:
    if drafts.total_size(row) > settings().message_limit:
        form.mark("attachments", _("The message is too large: remove a file."))
    if not form.check():
        return _form(form, row.id, row, status=422)
    asked = [] if sure else cautions.cautions(drafts.as_draft(row, _identity(), settings()))
    if asked:
        return _form(form, row.id, row, status=422, asked=asked)
    try:
        sent = outbox.enqueue(row, current_account(), _identity(), settings(), sealed_credential())
    except drafts.FilesGone:
        form.mark("attachments", _("A file is no longer here: remove it and attach it again."))
        return _form(form, row.id, row, status=422)
    wake(sent)
    _say_sent(sent)
    return redirect(_back(form), 303)


def _save(form: ComposeForm, row: DraftRow) -> Response:
    try:
        if drafts.unsaved(row):
            copies.save(row, current_account(), _identity(), settings())
    except MailError as error:
        current_app.logger.warning("draft %s is not in Drafts: %s", row.id, error)
        if isinstance(error, ServerAway):
            remember_overview(None)  # the side bar would wait for the same server again
        notify(_("Your text is kept on this page, but the mail server did not take a copy for the Drafts folder."), "danger")
        return _form(form, row.id, row, status=error.status)
    return redirect(_url(row, form), 303)


def _autosave(form: ComposeForm, row: DraftRow) -> Response:
    """While one types: the text is in the row already; the server's copy follows now and then. Never disturbs, never fails.

    Without HTMX it is the page being left: nobody reads the answer, and the copy follows at once.
    """
    leaving = not request.htmx  # type: ignore[attr-defined]
    if drafts.copy_is_due(row, leaving=leaving):
        try:
            copies.save(row, current_account(), _identity(), settings())
        except MailError as error:
            current_app.logger.info("draft %s is not in Drafts yet: %s", row.id, error)
    if leaving:
        return Response(status=204)
    response = _form(form, row.id, row)
    response.headers["HX-Replace-Url"] = url_for("compose.show", draft_id=row.id)
    return response


def _discard(form: ComposeForm, row: DraftRow, *, sure: bool) -> Response:
    if not sure and not drafts.is_empty(row):
        return _form(form, row.id, row, status=422, discarding=True)
    copies.discard(row, current_account(), settings())
    if failed := outbox.of_draft(current_user(), row.id):
        outbox.dismiss(current_user(), failed.id)
    notify(_("The message was discarded."))
    return redirect(_back(form), 303)


def _has_left(draft_id: str, form: ComposeForm, action: str) -> Response:
    """A second click on "Send" changes nothing. Another text than the one that left becomes a message of its own."""
    sent = outbox.of_draft(current_user(), draft_id)
    overtaken = action == "autosave" or request.headers.get("HX-Target") in ("saved", "attachments")
    if overtaken:  # it was on its way when "Send" was pressed
        return Response(status=204)
    if sent is not None and (action.startswith("discard") or outbox.is_same(sent, form.fields())):
        _say_sent(sent)
        return redirect(_back(form), 303)
    row = drafts.new(current_user(), form.fields())
    _attach(form, row)
    notify(_("The message you sent before has left already. This is a new one, with your present text."), "caution")
    return redirect(_url(row, form), 303)


# --- pieces ----------------------------------------------------------------------------------------------------------


def _form(
    form: ComposeForm,
    draft_id: str,
    row: DraftRow | None = None,
    *,
    status: int = 200,
    asked: list[cautions.Caution] | None = None,
    discarding: bool = False,
) -> Response:
    files = list(row.attachments.order_by("id")) if row is not None else []
    return page(
        _TEMPLATE, status, form=form, draft_id=draft_id, row=row, files=files, identity=_identity(), asked=asked or [],
        discarding=discarding, total=sum(uploads.encoded_size(f.size) for f in files), limit=settings().message_limit,
    )  # fmt: skip


def _identity() -> Identity:
    user = current_user()
    return Identity(user.name, user.address)


def _original(uid: int, mailbox: str) -> tuple[Message, str]:
    with imap.connect(current_account(), mailbox) as connection:
        message = imap.messages.fetch(connection, mailbox, uid, _uidvalidity())
        return message, replies.text_of(connection, message)


def _uidvalidity() -> int | None:
    return request.args.get("v", None, int)


def _attribution(message: Message) -> str:
    envelope = message.envelope
    name = envelope.sender[0].label if envelope.sender else _("somebody")
    return _("On %(date)s, %(name)s wrote:", date=long_date(envelope.sent or message.received), name=name)


def _forward_heading(message: Message) -> str:
    envelope = message.envelope
    lines = [
        (_("From:"), drafts.address_text(envelope.sender)),
        (_("Date:"), long_date(envelope.sent or message.received)),
        (_("Subject:"), envelope.subject),
        (_("To:"), drafts.address_text(envelope.to)),
        (_("Cc:"), drafts.address_text(envelope.cc)),
    ]
    title = "---------- " + _("Forwarded message") + " ----------"
    return "\n".join([title, *(f"{label} {value}" for label, value in lines if value)])


def _came_from() -> str:
    """The page to go back to afterwards: the one named, else the folder or message that the link was on."""
    if named := local_path(request.args.get("back", "")):
        return named
    before = urlsplit(request.headers.get("HX-Current-URL") or request.referrer or "")
    path = before.path + (f"?{before.query}" if before.query else "")
    return local_path(path) if before.netloc == request.host and path.startswith(f"{request.script_root}/mailbox/") else ""


def _back(form: ComposeForm) -> str:
    return local_path(form.back.data or "") or url_for("mailbox.show", mailbox="INBOX")


def _url(row: DraftRow, form: ComposeForm) -> str:
    return url_for("compose.show", draft_id=row.id, back=local_path(form.back.data or "") or None)


def _say_sent(sent: Outbox) -> None:
    """Once, even when two clicks get here."""
    seconds = settings().undo_seconds
    undo = None
    poll = None
    words = _("The message is on its way.")
    if sent.state == OutboxState.WAITING and seconds:
        undo = (url_for("compose.change", outbox_id=sent.id), {"action": "undo"})
        words = _("The message leaves in %(seconds)d seconds.", seconds=seconds)
    if sent.state in (OutboxState.WAITING, OutboxState.SENDING):
        poll = (url_for("compose.state", outbox_id=sent.id), seconds + 2)
    waiting = session.get("notices", [])
    if not any(notice["text"] == words and (notice["undo"] or [""])[0] == (undo or [""])[0] for notice in waiting):
        notify(words, undo=undo)
        if poll:  # with scripts the outcome takes the notice's place (templates/_notices.html)
            session["notices"][-1]["poll"] = poll


def sealed_credential() -> bytes | None:
    """What a worker will sign in with when nobody is there; None where the servers take our tokens."""
    credential = current_account().credential
    if not isinstance(credential, Password):
        return None
    return vault.seal_for_outbox(credential.password, settings().secret_key, current_user().id)


def wake(sent: Outbox) -> None:
    """Tell the worker. Without it the message leaves at the next sweep."""
    if jobs := current_app.extensions.get("jobs"):
        jobs.schedule(sent.id, sent.due)


@blueprint.app_template_filter()
def clock(moment: datetime) -> str:
    """ "14:02", with the day before it where that is not today."""
    time = local(moment).strftime("%H:%M")
    return time if local(moment).date() == local(datetime.now(UTC)).date() else f"{short_date(moment)}, {time}"


def _pending() -> outbox.Pending:
    """Asked once a request, for the list of folders and the notice."""
    if "outbox_pending" not in g:
        g.outbox_pending = outbox.pending(current_user())
    return cast(outbox.Pending, g.outbox_pending)


@blueprint.app_template_global()
def outbox_pending() -> int:
    """How many messages wait or need the person, for the list of folders."""
    return _pending().total


@blueprint.app_template_global()
def outbox_alert() -> int | None:
    """How many messages need the person (failed, uncertain, refused for some), for a notice on every page; None for none."""
    return _pending().failed or None


from webmail.compose import outbox_views  # noqa: E402,F401 - its routes belong to this blueprint
