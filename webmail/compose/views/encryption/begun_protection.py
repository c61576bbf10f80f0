"""Begun protection: what a new message, or an answer, begins with."""

from __future__ import annotations

from dataclasses import replace

from webmail.compose.drafts.fields import Fields
from webmail.compose.encryption import protection
from webmail.compose.encryption.protection import MessageProtection
from webmail.compose.encryption.sending_plan import ProtectionWishes
from webmail.compose.views.encryption.keyring_access import has_keys
from webmail.mail import Message
from webmail.web.current import preferences, settings

_ENCRYPTED = ("application/pgp-encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime")


def wishes() -> ProtectionWishes:
    """What the person and their establishment want of messages."""
    mine = preferences()
    return ProtectionWishes(mine.protect_sign, mine.protect_encrypt, mine.protect_kind, settings().sign_inside)


def begun_protection(fields: Fields, *, answers_encrypted: bool = False) -> Fields:
    """The fields of a new message with its protection, for people with keys. An answer to an encrypted message is encrypted."""
    if not has_keys():
        return fields
    if answers_encrypted:
        return replace(fields, protection=MessageProtection.BOTH)
    return replace(fields, protection=protection.begun(encrypt=wishes().encrypt, sign=wishes().sign))


def is_encrypted(message: Message) -> bool:
    """Whether a message came encrypted as a whole, as its MIME structure says."""
    top = [part.type for part in message.structure.attachments if part.section in ("", "1")]
    return any(kind in _ENCRYPTED for kind in top)
