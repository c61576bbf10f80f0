"""Begun protection: what a new message, or an answer, begins with."""

from __future__ import annotations

from dataclasses import replace

from flask import current_app
from flask_babel import gettext as _

from webmail.compose.drafts.fields import Fields
from webmail.compose.encryption import protection
from webmail.compose.encryption.protection import MessageProtection
from webmail.compose.encryption.protection_errors import ProtectionError, SealedDraftError
from webmail.compose.encryption.sending_plan import ProtectionWishes
from webmail.compose.replies import decrypted_original
from webmail.compose.replies.decrypted_original import DecryptedOriginal, is_encrypted
from webmail.compose.views.encryption.keyring_access import has_keys, opened
from webmail.crypto.errors import CryptoBusyError, CryptoError
from webmail.imap.connections.connection import Connection
from webmail.keys.messages import opening
from webmail.mail import Message
from webmail.web.current import current_user, preferences, settings
from webmail.web.notices import notify


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


def decrypted(connection: Connection, message: Message) -> DecryptedOriginal | None:
    """What is inside a message that is answered; None where it is not encrypted, or can't be decrypted, which is told.

    For people without keys nothing is asked. Raises SealedDraftError where the keyring is closed, CryptoBusyError.
    """
    if not has_keys() or not is_encrypted(message):
        return None
    try:
        return decrypted_original.read(
            connection, message, opening.reader(current_user(), settings(), opened(), message.envelope)
        )
    except (SealedDraftError, CryptoBusyError):
        raise
    except (ProtectionError, CryptoError) as error:
        current_app.logger.info("a message that is answered is not decrypted: %s", error)
        notify(_("The message you are answering can’t be opened here, so its text is not quoted."), "caution")
        return None
