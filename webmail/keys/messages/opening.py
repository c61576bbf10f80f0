"""Opening: a message that is signed or encrypted, layer by layer, with the keys of who reads it.

What comes out of a layer goes into the next one only as a whole: a part that was glued beside others is never opened with them
(EFAIL). Nothing is written but that a key was met; decrypted bytes stay in memory for the time of the request.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from webmail.config.settings import Settings
from webmail.crypto.errors import (
    AlteredMessageError,
    CryptoBusyError,
    CryptoError,
    CryptoMissingError,
    CryptoTimeoutError,
    CryptoTooLargeError,
    MalformedDataError,
    NoFittingKeyError,
)
from webmail.crypto.signatures import MadeSignature, OpenedMessage, SignatureState
from webmail.keys import own_keys
from webmail.keys.key_errors import KeyringClosedError
from webmail.keys.messages import verdicts
from webmail.keys.messages.signers import SignerBook
from webmail.keys.messages.verdicts import SignatureVerdict, VerdictNote
from webmail.keys.open_keyring import OpenKeyring
from webmail.keys.own_keys import OwnKey
from webmail.mail import Envelope
from webmail.mime.protected import arriving_keys, header_reading, protected_parts
from webmail.mime.protected.header_reading import ProtectedHeaders
from webmail.mime.protected.protected_parts import ProtectedPart, ProtectionKind
from webmail.models import User

LARGEST = 30_000_000  # bytes of a message that is opened
_LAYERS = 5
OPENPGP, SMIME = "openpgp", "smime"


class EncryptionState(StrEnum):
    """Whether a page shows what was encrypted: the words of [data-encryption]."""

    DECRYPTED = "decrypted"
    LOCKED = "locked"  # the keyring is closed
    FAILED = "failed"


class OpeningFault(StrEnum):
    """Why it could not be decrypted."""

    NO_KEYS = "no-keys"  # the reader has none of this kind
    NOT_FOR_YOU = "not-for-you"  # to other keys
    ALTERED = "altered"
    UNREADABLE = "unreadable"
    TOO_LARGE = "too-large"
    BUSY = "busy"
    MISSING = "missing"  # the program is not installed
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class OpenedPart:
    """A protected part as far as it could be opened.

    `content`: what is inside, as MIME, or as text where `is_text`; None where it is not open. `whole`: the message shows nothing
    else. `protected`: False if it could have been altered on its way unnoticed. `left`: more inside is encrypted, and left alone.
    """

    kind: ProtectionKind
    section: str
    whole: bool
    content: bytes | None = field(default=None, repr=False)
    is_text: bool = False
    charset: str = ""
    encryption: EncryptionState | None = None
    fault: OpeningFault | None = None
    protected: bool = True
    left: bool = False
    signatures: tuple[SignatureVerdict, ...] = ()
    headers: ProtectedHeaders | None = None
    beside: bool = False  # its signatures stand beside what they sign, which the mail server shows as it is

    @property
    def has_good_signature(self) -> bool:
        return any(one.state is SignatureState.GOOD for one in self.signatures)


@dataclass(frozen=True, slots=True)
class OpenedMail:
    """The protected parts of a message in its order. `deeper`: there are encrypted parts that are left alone."""

    parts: tuple[OpenedPart, ...] = ()
    deeper: bool = False
    too_large: bool = False

    @property
    def whole(self) -> OpenedPart | None:
        """The part that is the message, if it is one."""
        return self.parts[0] if len(self.parts) == 1 and self.parts[0].whole else None


@dataclass(slots=True)
class _Layers:
    """What was found while going inwards."""

    content: bytes | None = None
    encryption: EncryptionState | None = None
    fault: OpeningFault | None = None
    protected: bool = True
    left: bool = False
    is_text: bool = False
    charset: str = ""
    beside: bool = True
    signatures: list[SignatureVerdict] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class MessageReader:
    """Who reads, what their keys are opened by, and what they read."""

    user: User
    settings: Settings
    opened: OpenKeyring | None
    book: SignerBook
    sent: datetime | None


def reader(
    user: User, settings: Settings, opened: OpenKeyring | None, envelope: Envelope, *, notes: bool = True
) -> MessageReader:  # fmt: skip
    """Of a message with this envelope, as the server has it. `notes`: False for an attached one, which its forwarder may have
    written: keys that came with it are not noted as met. No query."""
    sender = envelope.sender[0].email if len(envelope.sender) == 1 else ""
    book = SignerBook(user, sender, with_revocations=settings.smime_revocation, notes=notes)
    return MessageReader(user, settings, opened, book, envelope.sent)


def open_message(raw: bytes, who: MessageReader) -> OpenedMail:
    """The protected parts of a message of at most LARGEST bytes. Runs a program for each layer; raises nothing of its own."""
    if len(raw) > LARGEST:
        return OpenedMail(too_large=True)
    found = protected_parts.find(raw)
    if found.parts:
        who.book.note_arrived(arriving_keys.arriving_keys(raw), who.sent)
    return OpenedMail(tuple(_opened(part, who) for part in found.parts), found.deeper)


def _opened(part: ProtectedPart, who: MessageReader) -> OpenedPart:
    layers = _Layers()
    _go_inwards(part, who, layers)
    signatures = tuple(layers.signatures) if part.whole else tuple(one.in_part() for one in layers.signatures)
    is_open = layers.encryption in (None, EncryptionState.DECRYPTED)
    content = layers.content if is_open else None
    return OpenedPart(
        part.kind, part.section, part.whole, content, layers.is_text, layers.charset, layers.encryption, layers.fault,
        layers.protected, layers.left, signatures,
        header_reading.protected_headers(content) if content and not layers.is_text else None,
        layers.beside and layers.encryption is None,
    )  # fmt: skip


def _go_inwards(part: ProtectedPart, who: MessageReader, layers: _Layers) -> None:
    for _number in range(_LAYERS):
        content = _layer(part, who, layers)
        if content is None:
            return
        layers.content = content
        if part.kind.is_encrypted:  # the sender's key often comes inside
            who.book.note_arrived(arriving_keys.arriving_keys(content), who.sent)
        if part.kind.is_inline:
            layers.is_text, layers.charset = True, part.charset if part.kind is ProtectionKind.INLINE_SIGNED else ""
            return
        inside = protected_parts.find(content)
        whole = next((one for one in inside.parts if one.whole), None)
        if whole is None:
            layers.left = layers.left or inside.deeper or any(one.kind.is_encrypted for one in inside.parts)
            for one in inside.parts:
                if one.kind.is_beside:
                    layers.signatures += [verdict.in_part() for verdict in _signatures(one, who)]
            return
        part = whole
    layers.left = True


def _layer(part: ProtectedPart, who: MessageReader, layers: _Layers) -> bytes | None:
    """What is inside one layer; None where it stays closed."""
    if part.kind.is_beside:
        layers.signatures += _signatures(part, who)
        return part.content
    layers.beside = False
    if part.kind.is_encrypted:
        return _decrypted(part, who, layers)
    return _unwrapped(part, who, layers)


# --- signatures ------------------------------------------------------------------------------------------------------


def _signatures(part: ProtectedPart, who: MessageReader) -> list[SignatureVerdict]:
    """Of a signature that stands beside what it signs."""
    kind = SMIME if part.kind.is_smime else OPENPGP
    if part.stripped:
        return [verdicts.stripped(kind)]

    def verify(certificates: list[bytes]) -> tuple[MadeSignature, ...]:
        found: tuple[MadeSignature, ...] = ()
        for content in part.signed_forms:
            found = _verified(content, part.signature, kind, certificates, who)
            if not any(one.state is SignatureState.BAD for one in found):
                break
        return found

    try:
        return _judged(_with_all(verify, kind, who), kind, who) or [_unread(kind)]
    except CryptoError as error:
        return [_unchecked(error, kind)]


def _verified(
    content: bytes, signature: bytes, kind: str, certificates: list[bytes], who: MessageReader
) -> tuple[MadeSignature, ...]:
    if kind == SMIME:
        from webmail.keys.messages import smime_layers

        return smime_layers.verify_detached(content, signature, certificates, who.settings, who.user.id)
    from webmail.crypto import openpgp

    return openpgp.verify_detached(content, signature, certificates, owner=who.user.id)


def _with_all(
    verify: Callable[[list[bytes]], tuple[MadeSignature, ...]], kind: str, who: MessageReader
) -> tuple[MadeSignature, ...]:
    """With the sender's certificates and the reader's own; where the signer is none of them, with whose key it names."""
    found = verify(who.book.certificates(kind))
    strangers = [one.fingerprint for one in found if one.state is SignatureState.UNKNOWN and one.fingerprint]
    if kind == OPENPGP and strangers and who.book.look_up(strangers):
        return verify(who.book.certificates(kind))
    return found


def _judged(found: tuple[MadeSignature, ...], kind: str, who: MessageReader) -> list[SignatureVerdict]:
    return [verdicts.judge(one, kind, who.book, who.sent) for one in found]


def _unread(kind: str) -> SignatureVerdict:
    return SignatureVerdict(SignatureState.BAD, VerdictNote.UNREADABLE, kind)


def _unchecked(error: CryptoError, kind: str) -> SignatureVerdict:
    if isinstance(error, MalformedDataError):
        return _unread(kind)
    return SignatureVerdict(SignatureState.UNKNOWN, VerdictNote.NOT_CHECKED, kind)


def _unwrapped(part: ProtectedPart, who: MessageReader, layers: _Layers) -> bytes | None:
    """What a signature has inside, which stays readable where the signature is bad."""
    kind = SMIME if part.kind is ProtectionKind.SMIME_OPAQUE else OPENPGP
    inside: list[bytes] = []

    def verify(certificates: list[bytes]) -> tuple[MadeSignature, ...]:
        if kind == SMIME:
            from webmail.keys.messages import smime_layers

            found = smime_layers.verify_opaque(part.content, certificates, who.settings, who.user.id)
        else:
            from webmail.crypto import openpgp

            found = openpgp.verify_inline(part.content, certificates, owner=who.user.id)
        inside[:] = [found.content]
        return found.signatures

    try:
        layers.signatures += _judged(_with_all(verify, kind, who), kind, who) or [_unread(kind)]
    except CryptoError as error:
        layers.signatures.append(_unchecked(error, kind))
        return None
    return inside[0]


# --- encryption ------------------------------------------------------------------------------------------------------


def _decrypted(part: ProtectedPart, who: MessageReader, layers: _Layers) -> bytes | None:
    kind = SMIME if part.kind.is_smime else OPENPGP
    mine = [key for key in who.book.own if key.kind == kind]
    if not mine:
        _fail(layers, OpeningFault.NO_KEYS)
        return None
    try:
        if kind == OPENPGP and not _is_for(part.content, mine):
            _fail(layers, OpeningFault.NOT_FOR_YOU)
            return None
        secrets = [(own_keys.secret_of(key, who.opened), key.certificate) for key in mine]
        found = _open_by(part, kind, secrets, who)
    except KeyringClosedError:
        layers.encryption, layers.fault = EncryptionState.LOCKED, None
        return None
    except CryptoError as error:
        _fail(layers, _fault(error))
        return None
    layers.encryption = EncryptionState.DECRYPTED
    layers.protected = layers.protected and found.protected
    layers.signatures += _judged(found.signatures, kind, who)
    return found.content


def _open_by(part: ProtectedPart, kind: str, secrets: list[tuple[bytes, bytes]], who: MessageReader) -> OpenedMessage:
    if kind == SMIME:
        from webmail.keys.messages import smime_layers

        return smime_layers.decrypt(part.content, secrets, who.user.id)
    from webmail.crypto import openpgp

    keys = [key for key, _certificate in secrets]
    found = openpgp.decrypt(part.content, keys, who.book.certificates(OPENPGP), owner=who.user.id)
    strangers = [one.fingerprint for one in found.signatures if one.state is SignatureState.UNKNOWN and one.fingerprint]
    if strangers and who.book.look_up(strangers):
        return openpgp.decrypt(part.content, keys, who.book.certificates(OPENPGP), owner=who.user.id)
    return found


def _is_for(content: bytes, mine: list[OwnKey]) -> bool:
    """Whether one of these keys may open it, so that nobody is asked for a passphrase in vain."""
    from webmail.crypto import openpgp_messages

    recipients = openpgp_messages.recipients(content)
    ids = {one[:16] if len(one) == 64 else one[-16:] for one in recipients.key_ids}
    return bool(recipients.hidden) or not {one for key in mine for one in key.key_ids}.isdisjoint(ids)


def _fail(layers: _Layers, fault: OpeningFault) -> None:
    layers.encryption, layers.fault = EncryptionState.FAILED, fault


_FAULTS: tuple[tuple[type[CryptoError], OpeningFault], ...] = (
    (NoFittingKeyError, OpeningFault.NOT_FOR_YOU),
    (AlteredMessageError, OpeningFault.ALTERED),
    (MalformedDataError, OpeningFault.UNREADABLE),
    (CryptoTooLargeError, OpeningFault.TOO_LARGE),
    (CryptoBusyError, OpeningFault.BUSY),
    (CryptoTimeoutError, OpeningFault.BUSY),
    (CryptoMissingError, OpeningFault.MISSING),
)


def _fault(error: CryptoError) -> OpeningFault:
    return next((fault for kind, fault in _FAULTS if isinstance(error, kind)), OpeningFault.OTHER)
