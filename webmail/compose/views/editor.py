"""Editor: opens the compose form for a new message, reply, forward or draft. Its buttons are in `actions.py`.

A form carries the random id of its draft, and so does its address (`own_address`); the row is created by the first POST, so that
a GET, which browsers may prefetch, leaves nothing behind. Only what comes with files (forward, resume, a reply with images) or is
too long for an address creates its row at once, and reuses it when requested again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast
from urllib.parse import urlsplit

import peewee as pw
from flask import g, redirect, request, session, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from webmail import imap
from webmail.compose import identities, templates
from webmail.compose.attachments import attachment_rows, attachments, uploads
from webmail.compose.blueprint import blueprint
from webmail.compose.drafts import draft_copies, drafts, message_options, sealed_drafts
from webmail.compose.drafts.drafts import AlreadyLeftError, DraftChangedElsewhereError
from webmail.compose.drafts.fields import Fields, fields_of
from webmail.compose.forms import ComposeForm
from webmail.compose.outbox import queue
from webmail.compose.recipients import address_book
from webmail.compose.replies import originals, quoting
from webmail.compose.replies import reply as replies
from webmail.compose.replies.decrypted_original import was_encrypted
from webmail.compose.views import draft_url, text_format, warm_suggestions
from webmail.compose.views.drafts_folder import put_into_drafts
from webmail.compose.views.encryption.begun_protection import begun_protection, decrypted
from webmail.compose.views.encryption.keyring_access import closed_page, has_keys, openable
from webmail.errors import MailError, NoSuchMessageError
from webmail.mail import Identity, Message
from webmail.mime.headers.address_text import address_text
from webmail.mime.html import quoted_html
from webmail.models import AllowedAddress, DraftRow, OutboxState, ReadyText, User, WritingIdentity
from webmail.people import policies
from webmail.people.visibility import sight_of
from webmail.storage import StorageAwayError, StorageFullError
from webmail.web.current import current_account, current_user, preferences, settings
from webmail.web.formatting import file_size, long_date
from webmail.web.forms.request_values import local_path, uidvalidity
from webmail.web.frame.page_rows import PageRow, add_rows, page_rows
from webmail.web.notices import notify
from webmail.web.rendering import page
from webmail.web.responses.errors import error_page

LEFT = (OutboxState.WAITING, OutboxState.SENDING, OutboxState.SENT, OutboxState.UNCERTAIN)
TEMPLATE = "compose/show.html"
_LONGEST_SELECTION = 200_000  # characters


# --- opening the form ------------------------------------------------------------------------------------------------


@blueprint.get("/compose")
def new() -> Response:
    """A new message: empty, from a mailto link (RFC 6068), or from a template. Leads to its draft's address."""
    return draft_url.lead_to_new(_came_from()) or _with_files(_new_fields(), _came_from())


def _new_fields() -> Fields:
    to, cc, bcc, subject, body = (request.args.get(name, "")[:100_000] for name in ("to", "cc", "bcc", "subject", "body"))
    people = address_book.with_groups(current_user(), {"to": to, "cc": cc, "bcc": bcc}, sight_of(current_user(), settings()))
    fields = _begun(Fields(people["to"], people["cc"], people["bcc"], subject, body), my_identities()[0])
    if number := request.args.get("template", 0, int):
        fields = templates.inserted(fields, templates.load(current_user(), number))
    return fields


@blueprint.get("/compose/<draft_id>")
def show(draft_id: str) -> Response:
    user = current_user()
    if session.get("kept", {}).get("path") == request.path:
        response = _bring_back(draft_id, session["kept"]["fields"])
        session.pop("kept")  # only now that it is a draft
        return response
    if draft_url.is_unwritten(draft_id):
        return _new_form(draft_id, _new_fields(), _came_from())
    sent = queue.of_draft(user, draft_id)
    if sent is not None and sent.state in LEFT:
        return redirect(url_for("compose.outbox"), 303)
    row = openable(drafts.load(user, draft_id))
    if not sealed_drafts.can_open(row):
        return closed_page(row.to)
    sealed_drafts.lay_open(row)
    form = ComposeForm.holding(fields_of(row), _came_from(), drafts.revision_at(row))
    form.was_encrypted.data = "1" if request.args.get("encrypted") else ""
    at_files = request.args.get("at") == "attachments"
    response = show_form(form, draft_id, row, preview=bool(request.args.get("preview")), at_files=at_files)
    if at_files:  # scroll to where the URL's fragment leads without scripts
        response.headers["HX-Reswap"] = "outerHTML show:#attachments:top"
    return response


@blueprint.get("/compose/<draft_id>/reply/<int:uid>/<path:mailbox>")
@blueprint.get("/reply/<int:uid>/<path:mailbox>")
def reply(uid: int, mailbox: str, draft_id: str = "") -> Response:
    """A reply to the sender; with `all` to everyone, with `list` to the mailing list."""
    place, back = preferences().quote, url_for("mailbox.show", mailbox=mailbox)
    draft_id, elsewhere = draft_url.of_answer(draft_id, back)
    if elsewhere is not None:
        return elsewhere
    formatted = text_format.wanted() == message_options.FORMATTED and place != "none"
    message, found = _original(
        uid, mailbox, keep=formatted and place == "below", pictures=formatted, alone=True,
        signed=not preferences().without_signatures,
    )  # fmt: skip
    fields = _answer(message, found.text, "none" if found.html else place)
    if found.html:
        found = replace(found, html=quoted_html.answered(_attribution(message), found.html))
    elif not found.names:
        return _new_form(draft_id, fields, back, message)
    return _with_files(fields, back, lambda row: _carry(row, message, found, alone=True))


@blueprint.post("/reply/<int:uid>/<path:mailbox>")
def reply_to_selection(uid: int, mailbox: str) -> Response:
    """A reply that quotes only the selected text (static/js/app.js). POST, so message text does not end up in access logs."""
    message, found = _original(uid, mailbox, signed=not preferences().without_signatures)
    selected = "\n".join(line.rstrip() for line in request.form.get("selected", "")[:_LONGEST_SELECTION].splitlines()).strip("\n")
    fields = _answer(message, selected or found.text, preferences().quote)
    row = drafts.untouched(current_user(), fields) or drafts.new(current_user(), fields)
    drafts.leave_untouched(row)
    return redirect(url_for("compose.show", draft_id=row.id, back=url_for("mailbox.show", mailbox=mailbox)), 303)


def _answer(message: Message, quoted: str, position: str) -> Fields:
    everyone, to_list = bool(request.args.get("all")), bool(request.args.get("list"))
    me = identities.answering(my_identities(), message.envelope)
    mine = {address.lower() for address in (*_my_addresses(), *(one.address for one in my_identities()))}
    fields = replies.reply(
        message, identities.noun(me), _attribution(message), quoted, everyone=everyone, also=mine, to_list=to_list,
        quote=position,
    )  # fmt: skip
    return _begun(fields, me, message)


def _begun(fields: Fields, me: WritingIdentity, message: Message | None = None) -> Fields:
    """The fields with the user's signature, copies and preferred format; `message` is the one answered or forwarded."""
    if message is not None and message.trace.kept and has_keys():
        g.was_encrypted = True  # to send an answer without encryption is asked for
    fields = begun_protection(fields, answers_encrypted=message is not None and was_encrypted(message))
    return identities.begun(replace(fields, format=text_format.wanted(message)), me)


@blueprint.get("/compose/<draft_id>/forward/<int:uid>/<path:mailbox>")
@blueprint.get("/forward/<int:uid>/<path:mailbox>")
def forward(uid: int, mailbox: str, draft_id: str = "") -> Response:
    back = url_for("mailbox.show", mailbox=mailbox)
    draft_id, elsewhere = draft_url.of_answer(draft_id, back)
    if elsewhere is not None:
        return elsewhere
    whole = request.args.get("as") == "attachment"
    formatted = text_format.wanted() == message_options.FORMATTED
    message, found = _original(uid, mailbox, keep=formatted and not whole, remote=True)
    parts = replies.carried_parts(message)
    if not whole and "decrypted_files" in g:
        return _forward_decrypted(message, found.text, back)
    if not whole and len(parts) > replies.MOST_PARTS:
        whole = True
        notify(_("This message has too many files to forward one by one, so it is attached as a whole."), "caution")
    if whole or found.html:
        fields = replies.forward_attached(message)
    else:
        fields = replies.forward_inline(message, _forward_heading(message), found.text)
    fields = _begun(fields, identities.answering(my_identities(), message.envelope), message)
    if whole:
        return _with_files(fields, back, lambda row: replies.carry_whole(row, current_account(), message, settings()))
    if found.html:
        found = replace(found, html=quoted_html.forwarded(_forward_title(), _main_headers(message), found.html))
    elif not parts:
        return _new_form(draft_id, fields, back, message)
    if message.structure.inline and not formatted:
        link = url_for("compose.forward", **{**(request.view_args or {}), **request.args, "format": message_options.FORMATTED})
        notify(_("The images in this message are attached."), link={"url": link, "text": _("Keep them in the text")})
    return _with_files(fields, back, lambda row: _carry(row, message, found))


def _forward_decrypted(message: Message, text: str, back: str) -> Response:
    """A forward of what is inside an encrypted message, with its files."""
    fields = replies.forward_inline(message, _forward_heading(message), text)
    fields = _begun(fields, identities.answering(my_identities(), message.envelope), message)
    files = [([content], name, kind) for content, name, kind in g.decrypted_files]
    return _with_files(fields, back, lambda row: put_decrypted(row, files))


def put_decrypted(row: DraftRow, files: list[tuple[list[bytes], str, str]]) -> None:
    """The files of an encrypted message among those of the draft. Raises uploads.REFUSALS."""
    if files:
        attachments.add_all(row, files, settings())


def _carry(row: DraftRow, message: Message, found: quoting.Quoted, *, alone: bool = False) -> None:
    """Copy the original's HTML and files; where there is no room for the HTML, its text."""
    try:
        replies.carry(row, current_account(), message, settings(), found, alone=alone)
    except uploads.REFUSALS:
        if found.html and originals.of_draft(row) is None:
            drafts.update(row, replace(fields_of(row), body=f"{row.body}\n\n{quoted_html.as_text(found.html)}\n"))
        raise


def _with_files(fields: Fields, back: str, carry: Callable[[DraftRow], None] | None = None) -> Response:
    """Redirect to the form of a message with files, which `carry` copies. Creates its row now; repeated requests reuse it."""
    before = drafts.untouched(current_user(), fields)
    row = before or drafts.new(current_user(), fields)
    try:
        if not row.attachments.exists():
            if carry:
                carry(row)
            drafts.leave_untouched(row)
    except uploads.MessageTooLargeError:
        notify(_("Not all attachments fit in one message. Choose the ones you need."), "caution")
    except (uploads.AllowanceUsedError, StorageFullError, StorageAwayError) as error:
        notify(_("Some attachments are missing.") + " " + no_room_words(error), "danger")
    except MailError:
        if not before:  # nothing was written in it yet
            drafts.forget(row.id, settings())
        raise
    encrypted = 1 if {"decrypted_files", "was_encrypted"} & set(g) else None
    return redirect(url_for("compose.show", draft_id=row.id, back=back, encrypted=encrypted), 303)


@blueprint.get("/draft/<int:uid>/<path:mailbox>")
def resume(uid: int, mailbox: str) -> Response:
    """Resume a draft from the Drafts folder, or use another message as a template; `as=new`: without In-Reply-To."""
    if not 0 < uid < 2**32:
        raise NoSuchMessageError(f"{mailbox}: {uid} is no UID")
    try:
        row, left_out = draft_copies.resume(
            current_user(), current_account(), mailbox, uid, uidvalidity(), settings(), afresh=request.args.get("as") == "new",
            decrypted=decrypted,
        )  # fmt: skip
    except uploads.REFUSALS as error:
        return error_page(_("This draft can’t be opened here"), no_room_words(error), error.status)
    if left_out:
        say_left_out(left_out, f"{url_for('compose.forward', uid=uid, mailbox=mailbox)}?as=attachment")
    return redirect(url_for("compose.show", draft_id=row.id, back=url_for("mailbox.show", mailbox=mailbox)), 303)


# --- storing the text ------------------------------------------------------------------------------------------------


def store(draft_id: str, form: ComposeForm) -> DraftRow:
    """Store the form's text in its draft. Raises AlreadyLeftError, DraftChangedElsewhereError, NoSuchMessageError (invalid or
    foreign id)."""
    sent = queue.of_draft(current_user(), draft_id)
    if sent is not None and sent.state in LEFT:
        raise AlreadyLeftError(f"draft {draft_id} has left")
    if not has_keys():
        form.protection.data = ""
    began = form.revision.data or ""
    row = drafts.store(current_user(), draft_id, form.fields(), writer=form.name, revision=form.number, began_from=began)
    form.revision.data = drafts.revision_at(row)
    return openable(row)


def _bring_back(draft_id: str, stored: list[list[str]]) -> Response:
    """Restore the text that was submitted after the session had ended, as a draft."""
    form = ComposeForm(formdata=MultiDict((name, value) for name, value in stored))
    try:
        row = store(draft_id, form)
    except (AlreadyLeftError, NoSuchMessageError):
        row = drafts.new(current_user(), form.fields(), writer=form.name)
    except DraftChangedElsewhereError as error:
        row = drafts.apart(error.row, form.fields(), form.name, settings())
    put_into_drafts(row)
    notify(_("Here is your text again. Nothing was sent."), "caution")
    return show_form(form, row.id, row)


# --- pieces ----------------------------------------------------------------------------------------------------------


def own_draft(draft_id: str) -> DraftRow | Response:
    """The user's draft, or a redirect: to the outbox if it was queued, to where it is opened if it is sealed.

    Raises NoSuchMessageError."""
    sent = queue.of_draft(current_user(), draft_id)
    if sent is not None and sent.state in LEFT:
        return redirect(url_for("compose.outbox"), 303)
    row = openable(drafts.load(current_user(), draft_id))
    if not sealed_drafts.can_open(row):
        return redirect(url_for("compose.show", draft_id=draft_id), 303)
    sealed_drafts.lay_open(row)
    return row


def turned_page(action: str) -> str | None:
    """The page that a button "page:2" leads to, None for any other button. "page-2" is that of pages opened before an update."""
    name, _colon, number = action.replace("page-", "page:", 1).partition(":")
    return number if name == "page" else None


def show_form(form: ComposeForm, draft_id: str, row: DraftRow | None = None, *, status: int = 200, **more: Any) -> Response:
    """Render the form. `more` is for the template: `asked`, `discarding`, `elsewhere`, `preview`, `at_files`, `is_free` ..."""
    every = attachment_rows.of_draft(row) if row is not None else []
    files, original = originals.split(every)
    if request.method == "GET":
        warm_suggestions.warm_up()
    return page(
        TEMPLATE, status, form=form, draft_id=draft_id, row=row, files=files, original=original,
        identity=identities.chosen(my_identities(), form.identity.data),
        total=sum(uploads.encoded_size(f.size) for f in every), limit=policies.message_limit(current_user(), settings()),
        turn=drafts.last_turn(row) if row is not None else 0, **more,
    )  # fmt: skip


def _new_form(draft_id: str, fields: Fields, back: str, message: Message | None = None) -> Response:
    form = ComposeForm.holding(fields, back)
    if {"decrypted_files", "was_encrypted"} & set(g):
        form.was_encrypted.data = "1"
    return show_form(form, draft_id, is_free=text_format.is_free(message))


@blueprint.app_template_global()
def my_identities() -> list[WritingIdentity]:
    """The identities that the user may write as, the default first; cached per request."""
    if "identities" not in g:
        g.identities = identities.usable(current_user(), settings(), None if settings().any_sender else _my_addresses())
    return cast("list[WritingIdentity]", g.identities)


def _my_addresses() -> list[str]:
    """The addresses that the user may write from; cached per request."""
    if "my_addresses" not in g:
        g.my_addresses = identities.with_own(current_user(), (row.text for row in page_rows("allowed addresses")))
    return cast("list[str]", g.my_addresses)


def identity(row: DraftRow) -> Identity:
    """The identity that a draft is written as."""
    return identities.noun(identities.chosen(my_identities(), row.identity))


add_rows(
    "allowed addresses", AllowedAddress, (pw.Value(0), AllowedAddress.address), lambda slot: AllowedAddress.user == slot("user"),
    group="writing",
)  # fmt: skip
add_rows(
    "templates", ReadyText, (ReadyText.id, ReadyText.name, ReadyText.user.cast("TEXT")), templates.are_usable,
    group="writing", join=User,
)  # fmt: skip


@blueprint.app_template_global()
def ready_texts() -> list[PageRow]:
    """The templates that the user may use: their numbers and names."""
    own = str(current_user().id)
    return sorted(page_rows("templates"), key=lambda row: (row.text2 != own, row.text.casefold(), row.number))


def no_room_words(error: MailError) -> str:
    """Why a file could not be written, and what to do."""
    if isinstance(error, uploads.AllowanceUsedError):
        return _("The files in your drafts are limited to %(limit)s in total. Send or discard some drafts first.",
                 limit=file_size(error.limit))  # fmt: skip
    if isinstance(error, StorageFullError):
        return _("The server is out of space for files. Tell your administrator.")
    if isinstance(error, StorageAwayError):
        return _("The server can’t reach its files at the moment. Try again in a few minutes.")
    return _(
        "Messages are limited to %(limit)s, and files grow by a third when sent.",
        limit=file_size(policies.message_limit(current_user(), settings())),
    )


def say_left_out(count: int, whole: str = "") -> None:
    """Notify that some files of a message are not in the draft; `whole` is the URL to forward it as an attachment."""
    words = ngettext(
        "%(num)d file from that message was left out: there are too many to copy one by one. The original is unchanged.",
        "%(num)d files from that message were left out: there are too many to copy one by one. The original is unchanged.",
        count,
    )
    notify(words, "caution", link={"url": whole, "text": _("Forward as attachment")} if whole else None)


def _original(
    uid: int, mailbox: str, *, keep: bool = False, pictures: bool = False, alone: bool = False, signed: bool = True,
    remote: bool = False,
) -> tuple[Message, quoting.Quoted]:  # fmt: skip
    """A message and what is quoted of it: with `keep` its HTML, with `pictures` a text with image marks, else its text.

    The others are as in `quoting`.
    """
    with imap.connect(current_account(), mailbox) as connection:
        if part := request.args.get("part", ""):  # a message attached to this one
            message = imap.attached_messages.read(connection, mailbox, uid, part, uidvalidity(), prefer_html=False)
        else:
            message = imap.messages.fetch(connection, mailbox, uid, uidvalidity())
            if (inside := decrypted(connection, message)) is not None:
                g.decrypted_files = inside.files
                envelope = replace(message.envelope, subject=inside.subject or message.envelope.subject)
                return replace(message, envelope=envelope), quoting.Quoted(inside.text)
        if not keep and not pictures:
            return message, quoting.plain(connection, message, signed=signed)
        room = attachments.free_bytes(current_user(), settings())
        if keep and message.structure.html:
            domain = current_user().address.rpartition("@")[2]
            return message, quoting.quoted_content(connection, message, room, domain, signed=signed, remote=remote)
        if not pictures:
            return message, quoting.plain(connection, message, signed=signed)
        return message, quoting.with_pictures(connection, message, room, alone=alone, signed=signed)


def _attribution(message: Message) -> str:
    envelope = message.envelope
    name = envelope.sender[0].label if envelope.sender else _("someone")
    return _("On %(date)s, %(name)s wrote:", date=long_date(envelope.sent or message.received), name=name)


def _forward_title() -> str:
    return "---------- " + _("Forwarded message") + " ----------"


def _forward_heading(message: Message) -> str:
    return "\n".join([_forward_title(), *(f"{label} {value}" for label, value in _main_headers(message))])


def _main_headers(message: Message) -> list[tuple[str, str]]:
    """The labels and values of those that a forward repeats."""
    envelope = message.envelope
    lines = [
        (_("From:"), address_text(envelope.sender)),
        (_("Date:"), long_date(envelope.sent or message.received)),
        (_("Subject:"), envelope.subject),
        (_("To:"), address_text(envelope.to)),
        (_("Cc:"), address_text(envelope.cc)),
    ]
    return [line for line in lines if line[1]]


def _came_from() -> str:
    """The page to return to afterwards: the one named in the URL, else the folder or message that the link was on."""
    if named := local_path(request.args.get("back", "")):
        return named
    before = urlsplit(request.headers.get("HX-Current-URL") or request.referrer or "")
    path = before.path + (f"?{before.query}" if before.query else "")
    return local_path(path) if before.netloc == request.host and path.startswith(f"{request.script_root}/mailbox/") else ""


def back_of(form: ComposeForm) -> str:
    return local_path(form.back.data or "") or url_for("mailbox.show", mailbox="INBOX")


def address_of(row: DraftRow, form: ComposeForm) -> str:
    return url_for("compose.show", draft_id=row.id, back=local_path(form.back.data or "") or None)


@blueprint.app_template_global()
def compose_heading(form: ComposeForm) -> str:
    """What the page is for: its heading, and its title until there is a subject."""
    match form.source_flag.data:
        case "\\Answered":
            return _("Reply")
        case "$Forwarded":
            return _("Forward")
    return _("New message")
