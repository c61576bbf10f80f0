"""S/MIME layers: `webmail/crypto/smime.py` with what a reader has: private keys, known certificates, and trusted authorities."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from webmail.config.settings import Settings
from webmail.crypto import smime, x509_certificates
from webmail.crypto.certificate_facts import CertificateFacts
from webmail.crypto.errors import CryptoError, MalformedDataError
from webmail.crypto.signatures import MadeSignature, OpenedMessage
from webmail.crypto.x509_certificates import SmimeKey

_KEY = re.compile(rb"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----.*?-----END (?:[A-Z]+ )?PRIVATE KEY-----", re.S)


def authorities(settings: Settings) -> list[bytes]:
    """Those that are trusted besides this machine's, DER: one read of a small file where the setting names one."""
    if not settings.smime_authorities:
        return []
    return x509_certificates.split_certificates(Path(settings.smime_authorities).read_bytes())


def verify_detached(
    data: bytes, signature: bytes, certificates: Iterable[bytes], settings: Settings, owner: int
) -> tuple[MadeSignature, ...]:
    return smime.verify_detached(data, signature, _der(certificates), authorities=authorities(settings), owner=owner)


def verify_opaque(message: bytes, certificates: Iterable[bytes], settings: Settings, owner: int) -> OpenedMessage:
    return smime.verify_opaque(message, _der(certificates), authorities=authorities(settings), owner=owner)


def decrypt(message: bytes, keys: Sequence[tuple[bytes, bytes]], owner: int) -> OpenedMessage:
    """`keys`: each a private key and its certificates, as they are stored."""
    return smime.decrypt(message, [smime_key(secret, certificate) for secret, certificate in keys], owner=owner)


def facts(certificate: bytes) -> CertificateFacts | None:
    """None for one that cannot be read."""
    try:
        return x509_certificates.x509_facts(certificate)
    except CryptoError:
        return None


def smime_key(secret: bytes, certificate: bytes) -> SmimeKey:
    """A private key and the certificates above its own, as they are stored. Raises MalformedDataError."""
    private = _KEY.search(secret)
    if private is None:
        raise MalformedDataError("no private key in what is stored as one")
    first, *chain = x509_certificates.split_certificates(certificate)
    return SmimeKey(private[0] + b"\n", first, tuple(chain))


def _der(certificates: Iterable[bytes]) -> list[bytes]:
    found: list[bytes] = []
    for one in certificates:
        with suppress(CryptoError):  # one that cannot be read vouches for nobody
            found += x509_certificates.split_certificates(one)[:1]
    return found
