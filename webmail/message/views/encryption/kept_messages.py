"""Kept messages: encrypted ones that their reader keeps decrypted on the mail server, by a button or all they open; and back.

A message that says it is one is believed where its mark is ours, which takes one more round trip, for such messages alone.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from flask import current_app, redirect, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail import imap
from webmail.errors import MailError, NoSuchMessageError, NotAllowedError, OverQuotaError
from webmail.keys.messages import opening
from webmail.keys.messages.opening import EncryptionState, OpenedPart
from webmail.mail import Mailbox, Message, Role
from webmail.message.blueprint import blueprint
from webmail.message.encryption.protected_view import ProtectedView
from webmail.message.remote_images import ImageDecision, ImageReason
from webmail.message.views.encryption.protected_page import check_encryption, current_reader
from webmail.mime.headers import headers
from webmail.mime.protected import header_reading
from webmail.web.current import current_account, current_user, preferences, settings
from webmail.web.forms.request_values import fetched_ahead, local_path, uidvalidity
from webmail.web.frame.quota_notice import room_link
from webmail.web.message_links import message_url
from webmail.web.notices import notify
from webmail.web.templates.addresses import url_for

if TYPE_CHECKING:  # what does it is loaded at the first message that is one
    from webmail.message.encryption.keeping import Place
    from webmail.mime.protected.kept_copy import KeptFacts

_APART = (Role.DRAFTS, Role.SNOOZED, Role.TRASH)


@blueprint.post("/keep-decrypted/<int:uid>/<path:mailbox>")
def keep_decrypted(uid: int, mailbox: str) -> Response:
    """Put what was inside in the place of the encrypted message."""
    from webmail.mime.protected.kept_copy import CannotKeepError

    check_encryption()
    raw, validity = _raw(uid, mailbox)
    envelope = headers.envelope(header_reading.header_block(raw))
    part = opening.open_message(raw, current_reader(envelope)).whole
    if part is not None and part.encryption is EncryptionState.LOCKED:
        notify(_("Your keys are closed. Open the message with your passphrase first."), "caution")
        return redirect(_page(uid, mailbox, validity), 303)
    try:
        new = _put(raw, part, (mailbox, uid, validity))
    except (CannotKeepError, MailError) as error:
        _tell(error)
        return redirect(_page(uid, mailbox, validity), 303)
    undo = (url_for("message.encrypt_again", uid=new, mailbox=mailbox, v=validity), {"back": request.form.get("back", "")})
    notify(_("This message is kept decrypted on the server."), "done", undo=undo)
    return redirect(_page(new, mailbox, validity), 303)


@blueprint.post("/encrypt-again/<int:uid>/<path:mailbox>")
def encrypt_again(uid: int, mailbox: str) -> Response:
    """Put the encrypted original in the place of its decrypted copy, byte for byte."""
    from webmail.message.encryption import keeping

    check_encryption()
    try:
        raw, validity = _raw(uid, mailbox)
    except NoSuchMessageError:  # a second click, mostly
        notify(_("The decrypted copy is no longer there."), "plain")
        return redirect(url_for("mailbox.show", mailbox=mailbox), 303)
    found = keeping.found_in(raw, current_user(), settings())
    if found is None:
        notify(_("This message was not kept decrypted here."), "caution")
        return redirect(_page(uid, mailbox, validity), 303)
    try:
        new = keeping.take_back(current_account(), current_user(), (mailbox, uid, validity), found.original)
    except MailError as error:
        _tell(error)
        return redirect(_page(uid, mailbox, validity), 303)
    notify(_("The message is encrypted again, exactly as it came. The decrypted copy is deleted."), "done")
    return redirect(_page(new, mailbox, validity), 303)


# --- on the page of a message ----------------------------------------------------------------------------------------


def if_kept(message: Message) -> tuple[Message, KeptFacts | None]:
    """The message without the original among its files, and what its mark says, if it is a copy kept by this person."""
    if not message.trace.kept or not settings().encryption:
        return message, None
    from webmail.message.encryption import keeping
    from webmail.mime.protected import kept_copy

    if message.size > kept_copy.LARGEST:
        return message, None
    raw = message.whole if len(message.whole) == message.size else b""
    if not raw:
        with imap.connect(current_account(), message.mailbox) as connection:
            raw = imap.messages.raw(connection, message.mailbox, message.uid, message.uidvalidity, limit=kept_copy.LARGEST + 1)
    found = keeping.found_in(raw, current_user(), settings())
    if found is None:
        return message, None
    whole = found.original if message.whole else b""  # which has the proof of who wrote it
    return replace(message, structure=kept_copy.without_original(message.structure), whole=whole), found.facts


def can_be_kept_here(view: ProtectedView, current: Mailbox | None) -> bool:
    """Whether the page offers it: for messages in folders of one's own that stay where they are."""
    from webmail.message.encryption import keeping

    part = view.whole.part if view.whole else None
    if not keeping.can_be_kept(part) or current is None or current.owner or current.role in _APART:
        return False
    return current.rights.may_insert and current.rights.may_delete


def pictures(decided: ImageDecision, facts: KeptFacts | None) -> ImageDecision:
    """Nothing remote loads by itself for what was encrypted."""
    if facts is None or decided.why is ImageReason.ASKED:
        return decided
    return replace(decided, why=ImageReason.NOT)


def kept_at_opening(context: dict[str, Any]) -> Response | None:
    """For people who keep all that they open: the message is kept, and this leads to it. None for all others."""
    if not context["keepable"] or not preferences().keep_opened or fetched_ahead():
        return None
    from webmail.message.encryption import keeping
    from webmail.mime.protected.kept_copy import CannotKeepError

    message, view = context["message"], context["sealed"]
    if keeping.LEFT_ENCRYPTED in message.flags:
        return None
    try:
        new = _put(view.raw, view.whole.part, (message.mailbox, message.uid, message.uidvalidity))
    except (CannotKeepError, MailError) as error:
        current_app.logger.info("an opened message is not kept decrypted: %s", error)
        if isinstance(error, OverQuotaError):
            _tell(error)
        return None
    shown = {name: value for name, value in request.args.items() if name != "v"}
    return redirect(message_url("message.show", message, **{**shown, "uid": new}), 303)


def _put(raw: bytes, part: OpenedPart | None, where: Place) -> int:
    from webmail.message.encryption import keeping
    from webmail.mime.protected.kept_copy import CannotKeepError

    if part is None:
        raise CannotKeepError("not encrypted as a whole")
    copy = keeping.copy_of(raw, part, current_user(), settings())
    return keeping.keep(current_account(), current_user(), settings(), where, copy, raw)


def _raw(uid: int, mailbox: str) -> tuple[bytes, int]:
    """The message and its UIDVALIDITY. Raises NoSuchMessageError, also for one too large to be kept or opened."""
    from webmail.mime.protected import kept_copy

    with imap.connect(current_account(), mailbox) as connection:
        raw = imap.messages.raw(connection, mailbox, uid, uidvalidity(), limit=kept_copy.LARGEST + 1)
        return raw, connection.uidvalidity


def _page(uid: int, mailbox: str, validity: int) -> str:
    back = local_path(request.form.get("back", "")) or None
    return url_for("message.show", uid=uid, mailbox=mailbox, v=validity, back=back)


def _tell(error: Exception) -> None:
    """Why it stays as it is."""
    from webmail.mime.protected.kept_copy import CannotKeepError

    match error:
        case OverQuotaError():
            notify(_("Your mailbox is full: for a moment, there have to be both messages in it. Nothing was changed."), "caution",
                   link=room_link())  # fmt: skip
        case NotAllowedError():
            notify(_("You don’t have permission to change messages in this folder."), "caution")
        case NoSuchMessageError():
            notify(_("This message is no longer there."), "plain")
        case CannotKeepError():
            notify(_("This message can’t be kept decrypted: it is too large, or its format is unusual."), "caution")
        case _:
            notify(_("The mail server did not take the message. Nothing was changed."), "caution")
