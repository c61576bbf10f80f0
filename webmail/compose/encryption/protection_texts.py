"""Protection texts: what will be done to a message, why it can't be encrypted for somebody, why something failed."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import ngettext, pgettext

from webmail.compose.encryption.finished_messages import MOST_HIDDEN, TooManyHiddenError
from webmail.compose.encryption.protection import MessageProtection
from webmail.compose.encryption.protection_errors import NoOwnKeyError, SealedDraftError
from webmail.compose.encryption.recipient_keys import MissingKey, RecipientKey
from webmail.compose.encryption.sending_plan import SendingPlan
from webmail.crypto.errors import (
    CryptoBusyError,
    CryptoMissingError,
    CryptoTimeoutError,
    CryptoTooLargeError,
    UnusableCertificateError,
)
from webmail.errors import MailError
from webmail.keys.own_keys import OPENPGP


def choice_labels() -> dict[str, str]:
    """What one chooses from, by the value of the form."""
    return {
        MessageProtection.NOTHING: pgettext("protection", "None"),
        MessageProtection.SIGNED: _("Signed"),
        MessageProtection.BOTH: _("Encrypted and signed"),
        MessageProtection.ENCRYPTED: _("Encrypted, not signed"),
        MessageProtection.WHERE_POSSIBLE: _("Encrypted if possible for everyone"),
    }


def kind_label(kind: str) -> str:
    return "OpenPGP" if kind == OPENPGP else "S/MIME"


def plan_sentence(plan: SendingPlan) -> str:
    """What will be done to the message, in one or two sentences."""
    found = plan.coverage
    if plan.lacks_signer:
        return _("It can’t be signed: you have no key for the address you send from.")
    if plan.protection in (MessageProtection.ENCRYPTED, MessageProtection.BOTH) and found is None:
        return _("It can’t be encrypted: you have no valid key of your own.")
    if plan.is_encrypted and found is not None and not found.recipients:
        return _("It will be encrypted for everyone you add, if their keys are known here. This draft is stored encrypted.")
    if plan.is_encrypted and found is not None and found.missing:
        return ngettext(
            "It can’t be encrypted for %(count)d of %(num)d recipient.",
            "It can’t be encrypted for %(count)d of %(num)d recipients.",
            len(found.recipients), count=len(found.missing),
        )  # fmt: skip
    if plan.is_encrypted and found is not None:
        return _encrypted_sentence(plan, len(found.recipients))
    if plan.signs_by_rule:
        return _("It will be signed: your organisation asks for it inside. Anyone can read it.")
    if plan.signer is not None:
        return _("It will be signed: recipients can check that it is from you and unchanged. Anyone can read it.")
    if plan.could_encrypt and found is not None:
        return ngettext(
            "It won’t be encrypted, though it could be for %(num)d recipient.",
            "It won’t be encrypted, though it could be for all %(num)d recipients.", len(found.recipients),
        )  # fmt: skip
    return _("It won’t be encrypted or signed.")


def _encrypted_sentence(plan: SendingPlan, count: int) -> str:
    if plan.signer is not None:
        return ngettext(
            "It will be encrypted for %(num)d recipient, and signed (%(kind)s).",
            "It will be encrypted for all %(num)d recipients, and signed (%(kind)s).", count, kind=kind_label(plan.kind),
        )  # fmt: skip
    return ngettext(
        "It will be encrypted for %(num)d recipient (%(kind)s).", "It will be encrypted for all %(num)d recipients (%(kind)s).",
        count, kind=kind_label(plan.kind),
    )  # fmt: skip


def why_missing(recipient: RecipientKey) -> str:
    """Why a message can't be encrypted for somebody."""
    words = {
        MissingKey.UNKNOWN: _("no key is known"),
        MissingKey.EXPIRED: _("the key has expired"),
        MissingKey.REVOKED: _("the key was revoked"),
        MissingKey.BLOCKED: _("you blocked the key"),
        MissingKey.SIGNS_ONLY: _("the key can only sign"),
        MissingKey.OTHER_KIND: _("their key is of another kind than the others’"),
    }
    return words[recipient.why] if recipient.why is not None else ""


def fault_words(error: MailError) -> str:
    """Why a message was not signed, encrypted or stored encrypted, and what to do."""
    if isinstance(error, NoOwnKeyError):
        return _("You have no valid key of your own for this. Choose “None” under Protection, or renew your key.")
    if isinstance(error, SealedDraftError):
        return _("This draft is encrypted: open your keys with your passphrase first.")
    if isinstance(error, TooManyHiddenError):
        return _(
            "An encrypted message can have up to %(most)d Bcc recipients, fewer if it is large: each gets a copy of their own.",
            most=MOST_HIDDEN,
        )
    if isinstance(error, CryptoMissingError):
        return _("Encryption of this kind is not set up here. Tell your administrator.")
    if isinstance(error, CryptoBusyError | CryptoTimeoutError):
        return _("Encrypting took too long because the server is busy. Try again in a moment.")
    if isinstance(error, CryptoTooLargeError):
        return _("This message is too large to be encrypted. Send large files as a link.")
    if isinstance(error, UnusableCertificateError):
        return _("One of the keys can no longer be used, so nothing was sent. Check the recipients’ keys.")
    return _("Encrypting failed, so nothing was sent or stored. Try again.")
