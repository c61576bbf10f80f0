"""Vault: encrypts mail passwords, for mail servers that only accept passwords, and the secrets of second factors.

AES-256-GCM (NIST SP 800-38D) with keys derived by HKDF-SHA256 (RFC 5869). If the mail server accepts our own tokens,
no password is stored at all.
"""

from __future__ import annotations

import base64
import hmac
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_VERSION = b"\x01"
_NONCE = 12  # bytes


class CannotOpenError(Exception):
    """The sealed bytes were modified or truncated, belong to another purpose or user, or the key is wrong."""


def seal_for_session(password: str, session_token: str, secret_key: str, user_id: int) -> bytes:
    """Encrypt a password so that decrypting it takes the session token of the cookie *and* the instance's secret key.

    The database stores the result, the browser the token, a file the secret: none of them alone yields the password.
    """
    return _seal(password, _session_key(session_token, secret_key), _belongs_to("session", user_id))


def open_for_session(sealed: bytes, session_token: str, secret_key: str, user_id: int) -> str:
    """Decrypt the password. Raises CannotOpenError."""
    return _open(sealed, _session_key(session_token, secret_key), _belongs_to("session", user_id))


def seal_again(text: str, before: str, after: str, secret_key: str, user_id: int) -> str:
    """What was sealed for a session and is kept as Base64, for the same session with another token; any other text as it is."""
    try:
        sealed = base64.b64decode(text, validate=True)
        opened = open_for_session(sealed, before, secret_key, user_id)
    except (ValueError, CannotOpenError):
        return text
    return base64.b64encode(seal_for_session(opened, after, secret_key, user_id)).decode()


def seal_for_outbox(password: str, secret_key: str, user_id: int) -> bytes:
    """Encrypt a password for a queued message, which is sent when its author may be signed out.

    Only the instance's secret key, a file outside the database, protects it: clear the column once the message is sent.
    """
    return _seal(password, _outbox_key(secret_key), _belongs_to("outbox", user_id))


def open_for_outbox(sealed: bytes, secret_key: str, user_id: int) -> str:
    """Decrypt the password. Raises CannotOpenError."""
    return _open(sealed, _outbox_key(secret_key), _belongs_to("outbox", user_id))


def seal_secret(secret: bytes, secret_key: str, purpose: str, user_id: int) -> bytes:
    """Encrypt a secret that has to be read again, such as that of an authenticator app.

    A copy of the database alone yields nothing.     `purpose` is a word; what was sealed for one is not opened for another.
    """
    return _seal_bytes(secret, _purpose_key(secret_key, purpose), _belongs_to(purpose, user_id))


def open_secret(sealed: bytes, secret_key: str, purpose: str, user_id: int) -> bytes:
    """Decrypt it. Raises CannotOpenError."""
    return _open_bytes(sealed, _purpose_key(secret_key, purpose), _belongs_to(purpose, user_id))


def seal_by(key: bytes, secret: bytes, purpose: str, user_id: int) -> bytes:
    """Encrypt by a secret of somebody's own, of 16 random bytes or more, which is nowhere here; see `seal_secret`."""
    return _seal_bytes(secret, _draw(key, salt=None, purpose=f"traboule {purpose}".encode()), _belongs_to(purpose, user_id))


def open_by(key: bytes, sealed: bytes, purpose: str, user_id: int) -> bytes:
    """Decrypt it. Raises CannotOpenError."""
    return _open_bytes(sealed, _draw(key, salt=None, purpose=f"traboule {purpose}".encode()), _belongs_to(purpose, user_id))


def keyed_hash(text: str, secret_key: str, purpose: str, user_id: int) -> str:
    """HMAC-SHA256 in hex of a short code: without the instance's secret a stolen table can't be searched through for it."""
    told = _belongs_to(purpose, user_id) + b"\n" + text.encode()
    return hmac.digest(_purpose_key(secret_key, purpose), told, "sha256").hex()


def _purpose_key(secret_key: str, purpose: str) -> bytes:
    return _draw(secret_key.encode(), salt=None, purpose=f"traboule {purpose}".encode())


def _session_key(session_token: str, secret_key: str) -> bytes:
    return _draw(session_token.encode(), salt=secret_key.encode(), purpose=b"traboule session credential")


def _outbox_key(secret_key: str) -> bytes:
    return _draw(secret_key.encode(), salt=None, purpose=b"traboule outbox credential")


def _draw(material: bytes, salt: bytes | None, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=salt, info=purpose).derive(material)


def _belongs_to(kind: str, user_id: int) -> bytes:
    return f"{kind}:{user_id}".encode()


def _seal(password: str, key: bytes, belongs_to: bytes) -> bytes:
    return _seal_bytes(password.encode(), key, belongs_to)


def _open(sealed: bytes, key: bytes, belongs_to: bytes) -> str:
    return _open_bytes(sealed, key, belongs_to).decode()


def _seal_bytes(secret: bytes, key: bytes, belongs_to: bytes) -> bytes:
    nonce = os.urandom(_NONCE)
    return _VERSION + nonce + AESGCM(key).encrypt(nonce, secret, belongs_to)


def _open_bytes(sealed: bytes, key: bytes, belongs_to: bytes) -> bytes:
    sealed = bytes(sealed)  # database drivers may return a memoryview
    if sealed[:1] != _VERSION or len(sealed) < 1 + _NONCE + 16:
        raise CannotOpenError("not something that was sealed here")
    try:
        return AESGCM(key).decrypt(sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :], belongs_to)
    except InvalidTag as error:
        raise CannotOpenError("changed, or sealed with another key or for somebody else") from error
