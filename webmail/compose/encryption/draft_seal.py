"""Draft seal: the pair of keys of one draft that is to be encrypted, and what seals its text and its files.

Whoever writes puts in (HPKE, RFC 9180, with X25519, HKDF-SHA256 and AES-256-GCM), which takes no passphrase: what is typed is
stored even while the keyring is closed. What opens it is encrypted for the person's own certificates (`own_messages.py`). A file
has a key of its own and is encrypted in pieces, each bound to its place and to whether it is the last (AES-256-GCM).
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from webmail.errors import MailError

PIECE = 64 * 1024  # bytes of a file that are encrypted together
_TAG = 16
_INFO = b"traboule draft"
_SUITE = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)


class SealBrokenError(MailError):
    """What is stored of a sealed draft is not what was written, or belongs to another draft."""

    status = 500


@dataclass(frozen=True, slots=True)
class OpenSeal:
    """The seal of a draft, opened: what was put in can be read."""

    key: X25519PrivateKey

    def read(self, sealed: bytes) -> dict[str, Any]:
        """Raises SealBrokenError."""
        try:
            found = json.loads(_SUITE.decrypt(bytes(sealed), self.key, info=_INFO))
        except (InvalidTag, ValueError) as error:
            raise SealBrokenError("a sealed draft can't be read") from error
        return found if isinstance(found, dict) else {}


def make() -> tuple[bytes, bytes]:
    """A new pair: what seals, and what opens."""
    key = X25519PrivateKey.generate()
    return key.public_key().public_bytes_raw(), key.private_bytes_raw()


def opened(private: bytes) -> OpenSeal:
    """Raises SealBrokenError."""
    try:
        return OpenSeal(X25519PrivateKey.from_private_bytes(private))
    except ValueError as error:
        raise SealBrokenError("the key of a sealed draft can't be read") from error


def put_in(public: bytes, values: dict[str, Any]) -> bytes:
    """Values that JSON can hold, sealed."""
    return _SUITE.encrypt(json.dumps(values).encode(), X25519PublicKey.from_public_bytes(bytes(public)), info=_INFO)


# --- files -----------------------------------------------------------------------------------------------------------


def new_file_key() -> bytes:
    return secrets.token_bytes(32)


def sealed_pieces(chunks: Iterable[bytes], key: bytes) -> Iterator[bytes]:
    """The bytes of a file, encrypted. A key is for one file alone, since the nonces are counted."""
    cipher, number, held = AESGCM(key), 0, b""
    for chunk in chunks:
        held += chunk
        while len(held) > PIECE:  # one that is full may still be the last
            yield cipher.encrypt(_nonce(number, last=False), held[:PIECE], None)
            held, number = held[PIECE:], number + 1
    yield cipher.encrypt(_nonce(number, last=True), held, None)


def opened_pieces(chunks: Iterable[bytes], key: bytes) -> Iterator[bytes]:
    """The bytes of a file as they were before `sealed_pieces`. Raises SealBrokenError, also for one that was cut."""
    cipher, number, held = AESGCM(key), 0, b""
    try:
        for chunk in chunks:
            held += chunk
            while len(held) > PIECE + _TAG:
                yield cipher.decrypt(_nonce(number, last=False), held[: PIECE + _TAG], None)
                held, number = held[PIECE + _TAG :], number + 1
        yield cipher.decrypt(_nonce(number, last=True), held, None)
    except InvalidTag as error:
        raise SealBrokenError("a file of a sealed draft can't be read") from error


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + (b"\1" if last else b"\0")
