"""Resend views: sends a message on unchanged (RFC 5322 section 3.6.6); also the preview of formatted text."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from flask import current_app, redirect, request, url_for
from flask_babel import gettext as _
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import HiddenField, IntegerField, StringField

from webmail import imap
from webmail.accounts import permitted
from webmail.compose import header_values, identities
from webmail.compose.blueprint import blueprint
from webmail.compose.drafts import draft_message, drafts, message_options, sealed_drafts
from webmail.compose.forms import one_line
from webmail.compose.outbox import resend
from webmail.compose.recipients import bare_names
from webmail.compose.replies.decrypted_original import is_encrypted
from webmail.compose.views.attachments.inline_images import picture_address
from webmail.compose.views.editor import my_identities, no_room_words
from webmail.compose.views.encryption.keyring_access import openable
from webmail.compose.views.original import framed
from webmail.compose.views.outbox.send_later import too_many_words
from webmail.compose.views.outbox.sent_notice import say_sent
from webmail.compose.views.recipients import named_choice, refusal_words
from webmail.compose.views.signatures import signature_picture_address
from webmail.errors import BadAddressError, NoSuchMessageError
from webmail.mail import Message
from webmail.mime import builder
from webmail.mime.html import sanitizer
from webmail.mime.text import plain_text
from webmail.people import policies
from webmail.rate_limits import TooManyRequestsError
from webmail.storage import StorageAwayError, StorageFullError
from webmail.web.current import current_account, current_user, sealed_credential, settings, wake
from webmail.web.formatting import file_size
from webmail.web.forms.request_values import local_path, uidvalidity
from webmail.web.rendering import page


class ResendForm(FlaskForm):
    """The recipients of a resent message, and the identity that resends it."""

    class Meta:
        csrf = False  # checked globally for every POST

    to = StringField(filters=[one_line])
    identity = IntegerField(default=0)
    back = HiddenField()
    form = HiddenField()  # a random idempotency key, see outbox.resend.send_on


# --- resending -------------------------------------------------------------------------------------------------------


@blueprint.get("/send-on/<int:uid>/<path:mailbox>")
def send_on(uid: int, mailbox: str) -> Response:
    """The form that asks for the recipients."""
    message = _message(uid, mailbox)
    me = identities.answering(my_identities(), message.envelope)
    form = ResendForm(
        formdata=None,
        data={"identity": me.id, "back": local_path(request.args.get("back", "")), "form": drafts.new_id()},
    )
    return _send_on_page(form, message)


@blueprint.post("/send-on/<int:uid>/<path:mailbox>")
def send_it_on(uid: int, mailbox: str) -> Response:
    message, form = _message(uid, mailbox), ResendForm()
    chosen = request.form.get("action", "")
    if chosen.startswith("mean:"):
        return _with_choice(form, message, chosen.removeprefix("mean:"))
    form.to.data = bare_names.completed(current_user(), {"to": form.to.data or ""}, settings())["to"]
    identity = identities.named(my_identities(), form.identity.data)
    if header_values.trouble_in(request.form.get("to", ""), addresses=True):
        return _refused(form, message, _("Enter addresses only, separated by commas."))
    if unclear := bare_names.unclear(current_user(), {"to": form.to.data}, settings()):
        return _send_on_page(form, message, 422, unclear=unclear)
    try:
        to = builder.parse_addresses(form.to.data or "")
    except BadAddressError as error:
        return _refused(form, message, _("“%(value)s” is not an email address.", value=error.value[:80]))
    if not to:
        return _refused(form, message, _("Add at least one recipient."))
    if identity is None:
        return _refused(form, message, _("You can no longer send from the address you chose."))
    if refused := permitted.refused(current_user(), (one.email for one in to), settings()):
        return _refused(form, message, refusal_words(refused[0]))
    limit = policies.message_limit(current_user(), settings())
    if message.size > limit:
        return _refused(form, message, _("This message is too large to redirect (%(size)s of %(limit)s).",
                                         size=file_size(message.size), limit=file_size(limit)))  # fmt: skip
    with imap.connect(current_account(), mailbox) as connection:
        original = imap.messages.raw(connection, mailbox, uid, message.uidvalidity)
    me = identities.noun(identity)
    try:
        sent = resend.send_on(
            current_user(), message, original, me, to, settings(), sealed_credential(), (form.form.data or "")[:32]
        )
    except TooManyRequestsError as error:
        return _refused(form, message, too_many_words(error))
    except (StorageFullError, StorageAwayError) as error:
        current_app.logger.error("a message is not sent on: %s", error)
        return _refused(form, message, no_room_words(error), error.status)
    wake(sent)
    say_sent(sent)
    return redirect(local_path(form.back.data or "") or url_for("mailbox.show", mailbox=mailbox), 303)


def _message(uid: int, mailbox: str) -> Message:
    if not 0 < uid < 2**32:
        raise NoSuchMessageError(f"{mailbox}: {uid} is no UID")
    with imap.connect(current_account(), mailbox) as connection:
        return imap.messages.fetch(connection, mailbox, uid, uidvalidity())


def _refused(form: ResendForm, message: Message, text: str, status: int = 422) -> Response:
    form.to.errors = [text]
    return _send_on_page(form, message, status)


def _with_choice(form: ResendForm, message: Message, argument: str) -> Response:
    """The form with the address that was chosen for a name, and the next question, if there is one."""
    with suppress(BadAddressError):  # no button of ours: the name stays, and is asked about again
        form.to.data = bare_names.replaced({"to": form.to.data or ""}, *named_choice(argument))["to"]
    return _send_on_page(form, message, unclear=bare_names.unclear(current_user(), {"to": form.to.data or ""}, settings()))


def _send_on_page(
    form: ResendForm, message: Message, status: int = 200, unclear: Sequence[bare_names.UnclearName] = ()
) -> Response:
    more = {"mailbox": message.mailbox, "found": my_identities(), "unclear": unclear, "is_encrypted": is_encrypted(message)}
    return page("compose/send_on.html", status, form=form, message=message, **more)


# --- formatted text --------------------------------------------------------------------------------------------------


@blueprint.get("/compose/<draft_id>/text")
def rendered(draft_id: str) -> Response:
    """The text of a draft as its recipients will see it, as a separate page for the preview frame in the form."""
    row = openable(drafts.load(current_user(), draft_id))
    sealed_drafts.lay_open(row)
    written = draft_message.render_body(row, settings())
    if row.format == message_options.FORMATTED:
        signed = written.signed

        def address(cid: str) -> str | None:
            return signature_picture_address(signed.get(cid)) or picture_address(draft_id, written.shown.get(cid))

        html = sanitizer.clean(written.html, address).html
    else:
        text = written.text + written.quoted
        html = plain_text.to_html(text, quote_label=_("Quoted text"), cut_label="…", fold=False)
    return framed(html)


@blueprint.app_template_global()
def languages() -> dict[str, str]:
    """The languages offered for a message's text."""
    return message_options.LANGUAGES
