"""Protected page: what the page of a signed or encrypted message shows of it. One more round trip, for such messages alone."""

from __future__ import annotations

from dataclasses import replace

from flask import Response, abort

from webmail import imap
from webmail.auth.sessions.cookies import visit
from webmail.keys import session_keyring
from webmail.keys.messages import opening
from webmail.keys.messages.opening import MessageReader, OpenedMail
from webmail.mail import Envelope, Message
from webmail.message.blueprint import blueprint
from webmail.message.encryption import protected_view, verdict_texts
from webmail.message.encryption.protected_view import ProtectedView
from webmail.mime import structure
from webmail.web.current import current_account, current_user, settings
from webmail.web.forms.request_values import fetched_ahead


def protected(message: Message) -> ProtectedView | None:
    """What it has, opened as far as the reader's keys are; None if it is neither, or nothing is opened here."""
    if not settings().encryption or not protected_view.may_be_protected(message):
        return None
    if fetched_ahead():  # programs run, and a key may be noted, once somebody opens it
        abort(Response(status=204))
    if message.size > opening.LARGEST:
        return protected_view.view(message, OpenedMail(too_large=True), None)
    raw = source_of(message.mailbox, message.uid, message.uidvalidity, message.section)
    opened = opening.open_message(raw, current_reader(message.envelope, attached=bool(message.section)))
    if not opened.parts and not opened.deeper and not opened.too_large:
        return None
    return replace(protected_view.view(message, opened, structure.from_bytes(raw)), raw=raw)


def source_of(mailbox: str, uid: int, validity: int | None, section: str) -> bytes:
    """The bytes of a message, or of the one attached to it at `section`: 1 round trip after the SELECT. Raises
    NoSuchMessageError."""
    with imap.connect(current_account(), mailbox) as connection:
        if section:
            return imap.attached_messages.raw(connection, mailbox, uid, section, validity, limit=opening.LARGEST + 1)
        return imap.messages.raw(connection, mailbox, uid, validity, limit=opening.LARGEST + 1)


def check_encryption() -> None:
    """404 where the establishment has no encryption."""
    if not settings().encryption:
        abort(404)


def current_reader(envelope: Envelope, *, attached: bool = False) -> MessageReader:
    """Who is signed in, with their keys if they are open in this session; `attached`: what they read came in another message."""
    user = current_user()
    return opening.reader(user, settings(), session_keyring.opened(user, visit(), settings()), envelope, notes=not attached)


for _words in (
    verdict_texts.signature_words, verdict_texts.signature_advice, verdict_texts.signing_time,
    verdict_texts.encryption_words, verdict_texts.encryption_advice, verdict_texts.difference_words,
    verdict_texts.fingerprint_words, verdict_texts.kept_signature_words, protected_view.looks_encrypted,
):  # fmt: skip
    blueprint.app_template_global()(_words)
