"""Verdicts: what a signature says of who wrote a message, once it is known whose key made it and how that is known."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from webmail.crypto.signatures import MadeSignature, SignatureReason, SignatureState
from webmail.keys.known_certificates import KnownCertificate
from webmail.keys.messages.signers import SignerBook
from webmail.models import KeyOrigin

APART = timedelta(days=1)  # that the time of a signature and the date of its message may be apart
_PASSING = (KeyOrigin.MET, KeyOrigin.AUTOCRYPT)


class VerdictNote(StrEnum):
    """Why a verdict is what it is, where its state leaves that open."""

    NONE = ""
    ALTERED = "altered"
    WEAK = "weak"
    FUTURE = "future"
    NOT_FOR_SIGNING = "not-for-signing"
    NO_KEY = "no-key"
    ISSUER = "issuer"
    UNREADABLE = "unreadable"  # bad: it is no signature
    AUTHORITY = "authority"  # revoked: by the authority that gave the certificate
    NOT_CHECKED = "not-checked"  # unknown: the program for it is not there, or had no time
    SENDER = "sender"  # mismatch: the key is of another address
    DATE = "date"  # mismatch: signed at another time than the message says
    FIRST = "first"  # unknown: the key came with this message
    OTHER_KEY = "other-key"  # unknown: not the key that the sender had so far
    BLOCKED = "blocked"  # unknown: the reader blocked the key
    PART = "part"  # partial: there is more in the message
    STRIPPED = "stripped"  # partial: the message says that it is signed, and the signature is gone
    DISPLAY = "display"  # partial: the mail server reads the message in another way than it was signed


@dataclass(frozen=True, slots=True)
class SignatureVerdict:
    """A signature as pages tell of it. `signer`: an address that its key names; `made`: as claimed, proven only where good."""

    state: SignatureState
    note: VerdictNote = VerdictNote.NONE
    kind: str = "openpgp"  # or "smime"
    fingerprint: str = ""
    made: datetime | None = None
    signer: str = ""
    name: str = ""
    known: KnownCertificate | None = None
    is_own: bool = False
    issuer: str = ""  # of S/MIME: who vouches for the certificate

    def in_part(self, note: VerdictNote = VerdictNote.PART) -> SignatureVerdict:
        """The same of something that is only a part of what is displayed."""
        return replace(self, state=SignatureState.PARTIAL, note=note) if self.state is SignatureState.GOOD else self


def stripped(kind: str) -> SignatureVerdict:
    return SignatureVerdict(SignatureState.PARTIAL, VerdictNote.STRIPPED, kind)


def judge(made: MadeSignature, kind: str, book: SignerBook, sent: datetime | None) -> SignatureVerdict:
    """What `made` says of a message from `book.sender`, which says that it was `sent` (UTC)."""
    found = SignatureVerdict(made.state, _note(made.reason), kind, made.fingerprint, made.made)
    own = book.own_with(made.fingerprint)
    if own is not None:
        found = replace(
            found, signer=own.addresses[0] if own.addresses else "", name=own.names[0] if own.names else "", is_own=True
        )
        return _checked(found, fits=book.sender in own.addresses, sent=sent)
    known = book.known_with(made.fingerprint)
    if made.certificate:
        return _of_certificate(found, made, known, book, sent)
    if known is None:
        return found
    found = replace(found, signer=known.address, name=known.name, known=known)
    if known.blocked is not None and made.state is SignatureState.GOOD:
        return replace(found, state=SignatureState.UNKNOWN, note=VerdictNote.BLOCKED)
    found = _checked(found, fits=known.address == book.sender, sent=sent)
    return _doubted(found, known, book, sent) if found.state is SignatureState.GOOD else found


def _of_certificate(
    found: SignatureVerdict, made: MadeSignature, noted: KnownCertificate | None, book: SignerBook, sent: datetime | None
) -> SignatureVerdict:
    """Of S/MIME, whose certificate comes with the signature: an authority vouches for the address in it, or nobody."""
    from webmail.keys.messages import smime_layers

    facts = smime_layers.facts(made.certificate)
    if facts is None:
        return replace(found, state=SignatureState.BAD, note=VerdictNote.UNREADABLE)
    signer = book.sender if book.sender in facts.addresses else (facts.addresses[0] if facts.addresses else "")
    found = replace(found, signer=signer, name=facts.names[0] if facts.names else "", known=noted, issuer=facts.issuer)
    if noted is not None and noted.blocked is not None and found.state is SignatureState.GOOD:
        return replace(found, state=SignatureState.UNKNOWN, note=VerdictNote.BLOCKED)
    if found.state is SignatureState.GOOD and book.is_revoked(made):
        return replace(found, state=SignatureState.REVOKED, note=VerdictNote.AUTHORITY)
    found = _checked(found, fits=bool(signer) and signer == book.sender, sent=sent)
    if found.state is SignatureState.GOOD:
        book.note_proven(facts, made.certificate, sent)
    return found


def _checked(found: SignatureVerdict, *, fits: bool, sent: datetime | None) -> SignatureVerdict:
    """Whether a good signature is of the sender, and of the day of the message."""
    if found.state is not SignatureState.GOOD:
        return found
    if not fits:
        return replace(found, state=SignatureState.MISMATCH, note=VerdictNote.SENDER)
    if found.made and sent and abs(_utc(found.made) - _utc(sent)) > APART:
        return replace(found, state=SignatureState.MISMATCH, note=VerdictNote.DATE)
    return found


def _doubted(found: SignatureVerdict, noted: KnownCertificate, book: SignerBook, sent: datetime | None) -> SignatureVerdict:
    """A key that only came with messages says little: nothing where it came with this one, or another is known better."""
    if noted.checked is not None or noted.origin not in _PASSING:
        return found
    others = [one for one in book.of_sender if one.kind == noted.kind and one.fingerprint != noted.fingerprint and one.is_good()]
    better = [one for one in others if one.checked or one.origin not in _PASSING or _before(one, noted)]
    if better:
        return replace(found, state=SignatureState.UNKNOWN, note=VerdictNote.OTHER_KEY)
    first = noted.times_met <= 1 and (sent is None or noted.first_met is None or _utc(sent) <= _utc(noted.first_met))
    return replace(found, state=SignatureState.UNKNOWN, note=VerdictNote.FIRST) if first else found


def _before(certificate: KnownCertificate, other: KnownCertificate) -> bool:
    return bool(certificate.first_met and other.first_met and certificate.first_met < other.first_met)


def _note(reason: SignatureReason) -> VerdictNote:
    return VerdictNote(reason.value)


def _utc(at: datetime) -> datetime:
    return at if at.tzinfo else at.replace(tzinfo=UTC)
