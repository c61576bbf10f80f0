"""S/MIME, by `openssl cms`: decrypts, verifies, signs, encrypts.

Bodies are CMS as bytes, out of their base64. `owner` is whoever it is done for (`external_programs.py`). All raise
CryptoMissingError, CryptoBusyError, CryptoTimeoutError, CryptoTooLargeError and CryptoFailedError, and MalformedDataError where
what is given isn't S/MIME.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from webmail.crypto.cms_structure import CmsBody, CmsKind, CmsSigner, read_cms
from webmail.crypto.errors import (
    AlteredMessageError,
    CryptoFailedError,
    CryptoTooLargeError,
    MalformedDataError,
    NoFittingKeyError,
    UnusableCertificateError,
)
from webmail.crypto.external_programs import MOST, SECONDS, FinishedRun, InputPipe, OutputPipe, run
from webmail.crypto.signatures import MadeSignature, OpenedMessage, SignatureReason, SignatureState
from webmail.crypto.x509_certificates import PROGRAM, SmimeKey, as_pem, certificate_identifiers, split_certificates, x509_facts

MOST_RECIPIENTS = 300  # of one message: each is a pipe
_CLOCKS = timedelta(minutes=10)  # by which clocks differ
_ERROR = re.compile(r"^error (\d+) at \d+ depth lookup", re.MULTILINE)
_EXPIRED, _NOT_YET, _REVOKED, _NOT_FOR_THIS = {"10"}, {"9"}, {"23"}, {"26", "79"}
_WEAK = {"66", "67", "68"}


def decrypt(
    message: bytes, keys: Sequence[SmimeKey], *, owner: object, most: int = MOST, seconds: float = SECONDS
) -> OpenedMessage:
    """What an encrypted body holds, by the first of the keys that fits. Its signatures are inside the content, as S/MIME again.

    The content of the usual kind (CBC) can be changed by anybody on its way: `protected` is False then. Raises
    NoFittingKeyError, AlteredMessageError.
    """
    body = read_cms(message)
    if body.kind not in (CmsKind.ENVELOPED, CmsKind.AUTH_ENVELOPED):
        raise MalformedDataError("not encrypted")
    fitting = [key for key in keys if certificate_identifiers(key.certificate) & body.recipients]
    for key in fitting:
        arguments: list[str | InputPipe] = ["cms", "-decrypt", "-inform", "DER", "-binary"]
        arguments += ["-recip", InputPipe(as_pem([key.certificate])), "-inkey", InputPipe(key.key)]
        finished = run(PROGRAM, arguments, message, owner=owner, most=most, seconds=seconds)
        if finished.status == 0:
            return OpenedMessage(finished.output, protected=body.is_authenticated)
    if fitting:
        raise AlteredMessageError("a key fits, and the body can't be decrypted")
    raise NoFittingKeyError("none of the keys is among the recipients")


def verify_detached(
    data: bytes, signature: bytes, certificates: Sequence[bytes] = (), *,
    authorities: Sequence[bytes] = (), system: bool = True, owner: object,
) -> tuple[MadeSignature, ...]:  # fmt: skip
    """What each signature in `signature` is worth for `data`, to the byte as it was signed (lines end in CRLF).

    A signer is known by one of `authorities` (with `system`, by those of this machine too), or by being among `certificates`,
    those that the reader knows already; all are DER.
    """
    body = read_cms(signature)
    if body.kind != CmsKind.SIGNED:
        raise MalformedDataError("not a signature")
    if body.has_content:  # it has a content of its own, which must be this one, and not be shown for it
        opened = verify_opaque(signature, certificates, authorities=authorities, system=system, owner=owner)
        if opened.content != data:
            return tuple(_bad(each, SignatureReason.ALTERED) for each in opened.signatures)
        return opened.signatures
    found = _verified(["-content", InputPipe(data)], signature, owner)
    return _judged(found, body, certificates, authorities, system, owner)


def verify_opaque(
    message: bytes, certificates: Sequence[bytes] = (), *,
    authorities: Sequence[bytes] = (), system: bool = True, owner: object, most: int = MOST,
) -> OpenedMessage:  # fmt: skip
    """The content of a signed body, and what each of its signatures is worth. Read the signatures before the content."""
    body = read_cms(message)
    if body.kind != CmsKind.SIGNED or not body.has_content:
        raise MalformedDataError("not a signed content")
    found = _verified([], message, owner, most)
    signatures = _judged(found, body, certificates, authorities, system, owner)
    if found.status == 0 and body.signers:
        return OpenedMessage(found.output, signatures)
    return OpenedMessage(_content_of(message, owner, most), signatures)


def sign_detached(data: bytes, key: SmimeKey, *, owner: object) -> tuple[bytes, str]:
    """The signature of `data` as CMS, with the certificates above the signer's, and the value of `micalg` for it.

    Raises UnusableCertificateError.
    """
    return _signed(data, key, [], owner), "sha-256"


def sign_opaque(data: bytes, key: SmimeKey, *, owner: object) -> bytes:
    """`data` and its signature as one body, which programs without S/MIME can't read. Raises UnusableCertificateError."""
    return _signed(data, key, ["-nodetach"], owner)


def encrypt(data: bytes, certificates: Sequence[bytes], *, authenticated: bool = False, owner: object) -> bytes:
    """The body that the owner of each of `certificates` (DER) reads.

    `authenticated`: by AES-GCM, so that an alteration is noticed. Many programs don't read that yet, so it is for those known to
    do, such as copies for oneself. Raises UnusableCertificateError where one is expired or not for encryption.
    """
    if not certificates:
        raise UnusableCertificateError("no certificate is given")
    if len(certificates) > MOST_RECIPIENTS:
        raise CryptoTooLargeError(f"{len(certificates)} recipients")
    facts = [x509_facts(each) for each in certificates]
    useless = tuple(each.fingerprint for each in facts if not each.can_encrypt)
    if useless:
        raise UnusableCertificateError("a certificate can't be used", useless)
    cipher = "-aes-256-gcm" if authenticated else "-aes-256-cbc"
    arguments: list[str | InputPipe] = ["cms", "-encrypt", "-binary", "-outform", "DER", cipher]
    for each in dict.fromkeys(certificates):
        arguments += ["-recip", InputPipe(as_pem([each]))]
    finished = run(PROGRAM, arguments, data, owner=owner)
    if finished.status:
        raise CryptoFailedError(f"{PROGRAM}: status {finished.status}")
    return finished.output


def _signed(data: bytes, key: SmimeKey, more: list[str], owner: object) -> bytes:
    facts = x509_facts(key.certificate)
    if not facts.can_sign:
        raise UnusableCertificateError("the certificate can't be used", (facts.fingerprint,))
    arguments: list[str | InputPipe] = ["cms", "-sign", "-binary", "-outform", "DER", "-md", "sha256", *more]
    arguments += ["-signer", InputPipe(as_pem([key.certificate])), "-inkey", InputPipe(key.key)]
    if key.chain:
        arguments += ["-certfile", InputPipe(as_pem(key.chain))]
    finished = run(PROGRAM, arguments, data, owner=owner)
    if finished.status:
        raise CryptoFailedError(f"{PROGRAM}: status {finished.status}")
    return finished.output


def _verified(arguments: list[str | InputPipe], signature: bytes, owner: object, most: int = MOST) -> FinishedRun:
    """Whether the signers' keys made the signatures over the content; whose keys they are is another question.

    Its outputs: the signers' certificates, and all that came with them.
    """
    command = ["cms", "-verify", "-noverify", "-inform", "DER", "-binary", *arguments]
    return run(PROGRAM, [*command, "-signer", OutputPipe(), "-certsout", OutputPipe()], signature, owner=owner, most=most)


def _content_of(message: bytes, owner: object, most: int) -> bytes:
    """The content of a body whose signature is not good."""
    arguments = ["cms", "-verify", "-noverify", "-nosigs", "-no_attr_verify", "-no_content_verify"]
    finished = run(PROGRAM, [*arguments, "-inform", "DER", "-binary"], message, owner=owner, most=most)
    if finished.status:
        raise MalformedDataError("a signed content that can't be read")
    return finished.output


def _judged(
    found: FinishedRun, body: CmsBody, certificates: Sequence[bytes], authorities: Sequence[bytes], system: bool, owner: object
) -> tuple[MadeSignature, ...]:
    if found.status:
        absent = "signer certificate not found" in found.text
        state, reason = (
            (SignatureState.UNKNOWN, SignatureReason.NO_KEY) if absent else (SignatureState.BAD, SignatureReason.ALTERED)
        )
        return tuple(MadeSignature(state, "", each.made, reason) for each in body.signers)
    signers = split_certificates(found.outputs[0]) if found.outputs[0] else []
    if len(signers) != len(body.signers):
        return tuple(MadeSignature(SignatureState.UNKNOWN, "", each.made, SignatureReason.NO_KEY) for each in body.signers)
    judged = []
    for certificate, signer in zip(signers, body.signers, strict=True):
        known = [each for each in certificates if each == certificate]
        chain = _chain_state(certificate, found.outputs[1], [*authorities, *known], signer, system, owner)
        judged.append(replace(_judge(certificate, signer, *chain), chain=found.outputs[1]))
    return tuple(judged)


def _judge(certificate: bytes, signer: CmsSigner, state: SignatureState, reason: SignatureReason) -> MadeSignature:
    signature = MadeSignature(state, x509_facts(certificate).fingerprint, signer.made, reason, certificate)
    if signer.is_weak:
        return _bad(signature, SignatureReason.WEAK)
    if signer.made and signer.made > datetime.now(UTC) + _CLOCKS:
        return _bad(signature, SignatureReason.FUTURE)
    return signature


def _bad(signature: MadeSignature, reason: SignatureReason) -> MadeSignature:
    return MadeSignature(SignatureState.BAD, signature.fingerprint, signature.made, reason, signature.certificate)


def _chain_state(
    certificate: bytes, others: bytes, trusted: Sequence[bytes], signer: CmsSigner, system: bool, owner: object
) -> tuple[SignatureState, SignatureReason]:
    """Whether somebody trusted stands behind a signer's certificate, and it was valid when it signed."""
    at = min(signer.made or datetime.now(UTC), datetime.now(UTC))
    arguments: list[str | InputPipe] = ["verify", "-purpose", "smimesign", "-partial_chain", "-attime", str(int(at.timestamp()))]
    arguments += ["-auth_level", "1"]
    if not system:
        arguments += ["-no-CAfile", "-no-CApath", "-no-CAstore"]
    if trusted:
        arguments += ["-CAfile", InputPipe(as_pem(trusted))]
    if others:
        arguments += ["-untrusted", InputPipe(others)]
    finished = run(PROGRAM, arguments, as_pem([certificate]), owner=owner)
    if finished.status == 0:
        return SignatureState.GOOD, SignatureReason.NONE
    codes = set(_ERROR.findall(finished.text))
    for kinds, state, reason in (
        (_REVOKED, SignatureState.REVOKED, SignatureReason.NONE),
        (_EXPIRED, SignatureState.EXPIRED, SignatureReason.NONE),
        (_NOT_YET, SignatureState.BAD, SignatureReason.FUTURE),
        (_NOT_FOR_THIS, SignatureState.BAD, SignatureReason.NOT_FOR_SIGNING),
        (_WEAK, SignatureState.BAD, SignatureReason.WEAK),
    ):
        if codes & kinds:
            return state, reason
    return SignatureState.UNKNOWN, SignatureReason.ISSUER
