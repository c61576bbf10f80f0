"""Signatures: what a check found of each, and what a message holds once it is opened."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class SignatureState(StrEnum):
    """A signature's state: the word that pages show it by.

    MISMATCH (the sender is another) and PARTIAL are found by who knows the message; nothing in this package gives them.
    """

    GOOD = "good"
    BAD = "bad"
    UNKNOWN = "unknown"
    EXPIRED = "expired"
    REVOKED = "revoked"
    MISMATCH = "mismatch"
    PARTIAL = "partial"


class SignatureReason(StrEnum):
    """A signature's reason to be as it is, where one state has several."""

    NONE = ""
    ALTERED = "altered"  # bad: what was signed is not what is here
    WEAK = "weak"  # bad: by a method that proves nothing today (MD5, SHA-1)
    FUTURE = "future"  # bad: made at a time that has not come
    NOT_FOR_SIGNING = "not-for-signing"  # bad: the key may not sign messages
    NO_KEY = "no-key"  # unknown: the signer's certificate isn't had
    UNSUPPORTED = "unsupported"  # unknown: the signer's certificate is had, and its kind of key can't be checked here
    ISSUER = "issuer"  # unknown: no authority that is trusted stands behind the certificate, or one between is absent


@dataclass(frozen=True, slots=True)
class MadeSignature:
    """A signature, as it was found.

    `fingerprint` is the signer's certificate's, in capitals and without spaces; of a signer whose certificate isn't had, what the
    signature tells: a fingerprint, a key id of 16 digits, or nothing. `made` is when the signer says it was made, in UTC: proven
    where the state is good, else a claim. `certificate`: the one that came with the signature (S/MIME, DER); `chain`: all that
    came (PEM).
    """

    state: SignatureState
    fingerprint: str
    made: datetime | None = None
    reason: SignatureReason = SignatureReason.NONE
    certificate: bytes = b""
    chain: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class OpenedMessage:
    """A message that was opened: its content, and who signed it inside.

    `protected`: nobody could change it on its way without being noticed. Where it is not (S/MIME's CBC), the content may be
    somebody else's in parts: show it as plain text, and fetch nothing for it.
    """

    content: bytes
    signatures: tuple[MadeSignature, ...] = ()
    protected: bool = True
