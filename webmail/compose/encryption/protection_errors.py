"""Protection errors: why a message can't be signed, encrypted or kept as it was chosen; pages say each in their own words."""

from __future__ import annotations

from webmail.errors import MailError


class ProtectionError(MailError):
    """Base class. Nothing was stored or sent that should have been protected."""

    status = 422


class NoOwnKeyError(ProtectionError):
    """The person has no good key of their own for it."""


class SealedDraftError(ProtectionError):
    """The draft is sealed, and its text is not here: the keyring has to be opened first."""

    status = 403
