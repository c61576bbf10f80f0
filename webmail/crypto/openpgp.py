"""OpenPGP, by `sqop` (the Stateless OpenPGP command line): decrypts, verifies, signs, encrypts, makes keys.

Messages go in armoured or not. Keys and certificates come out as packets, messages and signatures armoured. `owner` is whoever it
is done for (`external_programs.py`). All raise CryptoMissingError, CryptoBusyError, CryptoTimeoutError, CryptoTooLargeError and
CryptoFailedError, and MalformedDataError where what is given isn't OpenPGP.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from enum import StrEnum

from webmail.crypto import openpgp_messages
from webmail.crypto.errors import (
    AlteredMessageError,
    CryptoError,
    CryptoFailedError,
    CryptoTooLargeError,
    LockedKeyError,
    MalformedDataError,
    NoFittingKeyError,
    UnusableCertificateError,
)
from webmail.crypto.external_programs import MOST, SECONDS, FinishedRun, InputPipe, OutputPipe, run
from webmail.crypto.openpgp_certificates import OpenpgpCertificate, read_certificate, split_certificates
from webmail.crypto.openpgp_key_features import limited_to_common
from webmail.crypto.openpgp_messages import ClaimedSignature
from webmail.crypto.openpgp_signature_check import is_supported
from webmail.crypto.signatures import MadeSignature, OpenedMessage, SignatureReason, SignatureState

PROGRAM = "sqop"
MOST_CERTIFICATES = 500  # that are given to one operation
_FD = "@FD:{}"
_CUT, _NO_SIGNATURE, _NOT_CAPABLE, _CANNOT_DECRYPT, _BAD_DATA, _LOCKED, _CANNOT_SIGN = 1, 3, 17, 29, 41, 67, 79
_VERIFIED = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ) ([0-9A-F]{40}|[0-9A-F]{64}) ([0-9A-F]{40}|[0-9A-F]{64})(?: |$)")


class KeyAlgorithm(StrEnum):
    """A new key's algorithm, as its profile is called. All make keys of version 4, which every program reads."""

    CURVE25519 = "draft-koch-eddsa-for-openpgp-00"
    RSA = "rfc4880"


def decrypt(
    message: bytes, keys: Sequence[bytes], certificates: Sequence[bytes] = (), *,
    owner: object, most: int = MOST, seconds: float = SECONDS,
) -> OpenedMessage:  # fmt: skip
    """What an encrypted message holds, by one of the private keys, and who of `certificates` signed it inside.

    `most`: bytes of content that are taken; `seconds`: how long it may take. Raises
    NoFittingKeyError, AlteredMessageError, LockedKeyError.
    """
    if not keys:
        raise NoFittingKeyError("no key is given")
    message = openpgp_messages.mended(message)
    signers = _readable(certificates)
    verified, session = OutputPipe(_FD), OutputPipe(_FD)
    arguments: list[str | InputPipe | OutputPipe] = ["decrypt", "--verifications-out", verified, "--session-key-out", session]
    # no certificate is an empty pipe, which is allowed
    arguments += ["--verify-with", _pipe([raw for raw, _certificate in signers]), _pipe(keys)]
    finished = run(PROGRAM, arguments, message, owner=owner, most=most, seconds=seconds)
    if finished.status:
        raise _decryption_fault(finished, message, keys)
    if not finished.outputs[1]:
        raise MalformedDataError("not encrypted")  # a message that is only signed, say: nobody's secret, so never told as one
    claimed = openpgp_messages.signatures_inside(message, finished.outputs[1])
    return OpenedMessage(finished.output, _found(finished.outputs[0], claimed, signers))


def verify_detached(
    data: bytes, signature: bytes, certificates: Sequence[bytes], *, owner: object, seconds: float = SECONDS
) -> tuple[MadeSignature, ...]:
    """What each signature in `signature` is worth for `data`, to the byte as it was signed. Empty where there is none."""
    claimed = openpgp_messages.detached_signatures(signature)
    signers = _signers(claimed, certificates)
    lines = b""
    if signers:
        given = _pipe([raw for raw, _certificate in signers])
        finished = run(PROGRAM, ["verify", InputPipe(signature, _FD), given], data, owner=owner, seconds=seconds)
        lines = _lines_of(finished, finished.output)
    return _found(lines, claimed, signers)


def verify_inline(
    text: bytes, certificates: Sequence[bytes], *, owner: object, most: int = MOST, seconds: float = SECONDS
) -> OpenedMessage:
    """A message signed in itself: clear text between armour lines, or signed packets. Only what is signed is content.

    Where no signature is good the content is what stands there: read the signatures before it is shown as anybody's.
    """
    claimed = openpgp_messages.inline_signatures(text)
    signers = _signers(claimed, certificates)
    if signers:
        verified = OutputPipe(_FD)
        given = _pipe([raw for raw, _certificate in signers])
        finished = run(
            PROGRAM, ["inline-verify", "--verifications-out", verified, given], text, owner=owner, most=most, seconds=seconds
        )
        if not finished.status:
            return OpenedMessage(finished.output, _found(finished.outputs[0], claimed, signers))
        _lines_of(finished, b"")
    finished = run(PROGRAM, ["inline-detach", "--signatures-out", OutputPipe(_FD)], text, owner=owner, most=most, seconds=seconds)
    _refuse(finished)
    return OpenedMessage(finished.output, _found(b"", claimed, signers))


def sign_detached(data: bytes, key: bytes, *, owner: object) -> tuple[bytes, str]:
    """The armoured signature of `data`, and the value of `micalg` for it. Raises UnusableCertificateError, LockedKeyError."""
    finished = run(PROGRAM, ["sign", "--micalg-out", OutputPipe(_FD), _pipe([key])], data, owner=owner)
    _refuse(finished, (), (key,))
    return finished.output, finished.outputs[0].decode("ascii", "replace").strip()


def encrypt(data: bytes, certificates: Sequence[bytes], *, sign_with: bytes | None = None, owner: object) -> bytes:
    """The armoured message that the owner of each of `certificates` reads, signed inside with the private key `sign_with`.

    The key ids of all stand in it: who must not be seen by the others gets a message of their own. Raises
    UnusableCertificateError where one is expired, revoked or not for encryption: it is written to all, or to nobody.
    """
    if not certificates:
        raise UnusableCertificateError("no certificate is given")
    for each in certificates:
        read_certificate(each)  # one that is larger than people's are is refused before it costs anything
    signer = [sign_with] if sign_with else []
    arguments = ["encrypt", *(argument for key in signer for argument in ("--sign-with", _pipe([key]))), _pipe(certificates)]
    finished = run(PROGRAM, arguments, data, owner=owner)
    _refuse(finished, certificates, signer)
    return finished.output


def generate_key(
    name: str, address: str, algorithm: KeyAlgorithm = KeyAlgorithm.CURVE25519, *, owner: object, also: Sequence[str] = ()
) -> bytes:
    """A new private key without passphrase and without end, for one name and address: seal it before it is stored.

    `also`: further addresses of the same person.
    """
    name = " ".join("".join(letter for letter in name if letter.isprintable() and letter not in "<>").split())
    for one in (address, *also):
        if not re.fullmatch(r"[^\s<>\x00-\x1f\x7f]+@[^\s<>\x00-\x1f\x7f]+", one):
            raise MalformedDataError("not an address")
    user_ids = [f"{name} <{one}>" if name else f"<{one}>" for one in (address, *also)]
    arguments = ["generate-key", "--no-armor", f"--profile={algorithm}", "--", *user_ids]
    finished = run(PROGRAM, arguments, owner=owner)
    _refuse(finished)
    return limited_to_common(finished.output)


def certificate_of(key: bytes, *, owner: object) -> bytes:
    """The public part of a private key."""
    return _made_from(["extract-cert", "--no-armor"], key, owner)


def revocation_of(key: bytes, *, owner: object) -> bytes:
    """The certificate, revoked: to be printed on the day the key is made, and published when it is lost."""
    return _made_from(["revoke-key"], key, owner)


def armoured(data: bytes, *, owner: object) -> bytes:
    """Keys, certificates or signatures as text that can be sent in a message."""
    return _made_from(["armor"], data, owner)


def with_password(key: bytes, password: str, *, owner: object) -> bytes:
    """The private key, to be opened with `password`: how it is exported."""
    return _made_from(["change-key-password", "--no-armor", "--new-key-password", _secret(password)], key, owner)


def without_password(key: bytes, password: str, *, owner: object) -> bytes:
    """The private key, opened: how it is imported. Raises LockedKeyError where the passphrase is another."""
    return _made_from(["change-key-password", "--no-armor", "--old-key-password", _secret(password)], key, owner)


def merge(certificate: bytes, newer: Sequence[bytes], *, owner: object) -> bytes:
    """`certificate` with what others of the same key add to it, such as a revocation or a later end. Others' keys add nothing."""
    finished = run(PROGRAM, ["merge-certs", "--no-armor", _pipe(newer)], certificate, owner=owner)
    _refuse(finished)
    return finished.output


def _made_from(arguments: list[str | InputPipe], key: bytes, owner: object) -> bytes:
    finished = run(PROGRAM, arguments, key, owner=owner)
    _refuse(finished, (), (key,))
    return finished.output


def _pipe(keys: Sequence[bytes]) -> InputPipe:
    """Keys or certificates as one pipe of packets."""
    if len(keys) > MOST_CERTIFICATES:
        raise CryptoTooLargeError(f"{len(keys)} certificates")
    return InputPipe(b"".join(b"".join(split_certificates(key)) for key in keys), _FD)


def _secret(password: str) -> InputPipe:
    return InputPipe(password.encode(), _FD)


def _readable(certificates: Sequence[bytes]) -> list[tuple[bytes, OpenpgpCertificate]]:
    """Those that can be read: one that can't vouches for nobody."""
    found = []
    for raw in certificates[:MOST_CERTIFICATES]:
        with suppress(MalformedDataError, CryptoTooLargeError):
            found.append((raw, read_certificate(raw)))
    return found


_Signers = list[tuple[bytes, OpenpgpCertificate]]


def _signers(claimed: Sequence[ClaimedSignature], certificates: Sequence[bytes]) -> _Signers:
    """Of the certificates those that a signature claims to be by; of one that claims none, all."""
    found = _readable(certificates)
    return [each for each in found if any(not one.issuer or each[1].key_of(one.issuer) for one in claimed)]


def _found(lines: bytes, claimed: Sequence[ClaimedSignature], signers: _Signers) -> tuple[MadeSignature, ...]:
    """What was found of each signature: good is what the program says, and only that; the rest is why others are not."""
    good = [match for line in lines.decode("ascii", "replace").splitlines() if (match := _VERIFIED.match(line))]
    found = []
    for each in claimed:
        match = next((match for match in good if _is_of(match, each)), None)
        if match:
            good.remove(match)
            found.append(_good(match))
        else:
            found.append(_not_good(each, signers))
    return (*found, *(_good(match) for match in good))


def _is_of(match: re.Match[str], claimed: ClaimedSignature) -> bool:
    made = datetime.fromisoformat(match[1])
    fits = claimed.issuer in ("", match[2], match[2][:16] if len(match[2]) == 64 else match[2][-16:])
    return fits and claimed.made in (None, made)


def _good(match: re.Match[str]) -> MadeSignature:
    return MadeSignature(SignatureState.GOOD, match[3], datetime.fromisoformat(match[1]))


def _not_good(claimed: ClaimedSignature, signers: _Signers) -> MadeSignature:
    now = datetime.now(UTC)
    at = claimed.made or now
    for _raw, certificate in signers:
        key = certificate.key_of(claimed.issuer) if claimed.issuer else None
        if key is None:
            continue
        primary, fingerprint = certificate.primary, certificate.primary.key.fingerprint
        if primary.revoked or key.revoked:
            return MadeSignature(SignatureState.REVOKED, fingerprint, claimed.made)
        if any(each.expires and each.expires <= at for each in (primary, key)):
            return MadeSignature(SignatureState.EXPIRED, fingerprint, claimed.made)
        if not (is_supported(primary.key) and is_supported(key.key)):
            return MadeSignature(SignatureState.UNKNOWN, fingerprint, claimed.made, SignatureReason.UNSUPPORTED)
        reason = SignatureReason.ALTERED
        if at > now:
            reason = SignatureReason.FUTURE
        elif claimed.is_weak:
            reason = SignatureReason.WEAK
        elif not key.bound or not key.flags & 0x02:
            reason = SignatureReason.NOT_FOR_SIGNING
        return MadeSignature(SignatureState.BAD, fingerprint, claimed.made, reason)
    return MadeSignature(SignatureState.UNKNOWN, claimed.issuer, claimed.made, SignatureReason.NO_KEY)


def _lines_of(finished: FinishedRun, lines: bytes) -> bytes:
    """The lines about good signatures; none where none is good."""
    if finished.status == _NO_SIGNATURE:
        return b""
    _refuse(finished)
    return lines


def _decryption_fault(finished: FinishedRun, message: bytes, keys: Sequence[bytes]) -> CryptoError:
    """Why a message was not decrypted, by what it says of its recipients. Raises MalformedDataError: it is no such message."""
    if finished.status == _LOCKED:
        return LockedKeyError("a private key has a passphrase")
    recipients = openpgp_messages.recipients(message)
    if finished.status not in (_CUT, _CANNOT_DECRYPT, _BAD_DATA):
        return CryptoFailedError(f"{PROGRAM}: status {finished.status}")
    mine = [read_certificate(key) for key in keys]
    if not recipients.hidden and not any(key.key_of(one) for key in mine for one in recipients.key_ids):
        return NoFittingKeyError("none of the keys is among the recipients")
    if not recipients.is_readable:
        return MalformedDataError("encrypted in a way that isn't read")
    if recipients.hidden and not any(key.key_of(one) for key in mine for one in recipients.key_ids):
        return NoFittingKeyError("the recipients are hidden, and no key fits")
    return AlteredMessageError("a key fits, and the message can't be decrypted")


def _refuse(finished: FinishedRun, certificates: Sequence[bytes] = (), keys: Sequence[bytes] = ()) -> None:
    """Raises what the exit status means; nothing for 0."""
    status = finished.status
    if status == 0:
        return
    if status in (_NOT_CAPABLE, _CANNOT_SIGN):
        given = certificates if status == _NOT_CAPABLE else keys
        facts = [certificate.facts() for _raw, certificate in _readable(given)]
        useless = [each for each in facts if not (each.can_encrypt if status == _NOT_CAPABLE else each.can_sign)]
        raise UnusableCertificateError("a certificate can't be used", tuple(each.fingerprint for each in useless))
    if status == _LOCKED:
        raise LockedKeyError("a private key has a passphrase")
    if status == _BAD_DATA:
        raise MalformedDataError(f"{PROGRAM} can't read it")
    raise CryptoFailedError(f"{PROGRAM}: status {status}")
