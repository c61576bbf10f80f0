"""Sealing of mail passwords, for servers that know only passwords.

AES-256-GCM (NIST SP 800-38D) under keys drawn by HKDF-SHA256 (RFC 5869). Where the mail server takes our own tokens
nothing is ever sealed, because no password is kept.
"""

from __future__ import annotations

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_VERSION = b"\x01"
_NONCE = 12  # bytes


class CannotOpen(Exception):
    """The sealed bytes were changed, cut short, belong to something else, or the key is another one."""


def seal_for_session(password: str, session_token: str, secret_key: str, user_id: int) -> bytes:
    """Seal a password so that opening it takes the cookie's token *and* the instance's secret.

    The database holds the result, the browser the token, a file the secret: no one of them yields the password.
    """
    return _seal(password, _session_key(session_token, secret_key), _belongs_to("session", user_id))


def open_for_session(sealed: bytes, session_token: str, secret_key: str, user_id: int) -> str:
    """The password again. Raises CannotOpen."""
    return _open(sealed, _session_key(session_token, secret_key), _belongs_to("session", user_id))


def seal_for_outbox(password: str, secret_key: str, user_id: int) -> bytes:
    """Seal a password for a message that waits to be sent, when nobody with a cookie may be there.

    Only the instance's secret, a file outside the database, keeps it closed: empty the column once the message has left.
    """
    return _seal(password, _outbox_key(secret_key), _belongs_to("outbox", user_id))


def open_for_outbox(sealed: bytes, secret_key: str, user_id: int) -> str:
    """The password again. Raises CannotOpen."""
    return _open(sealed, _outbox_key(secret_key), _belongs_to("outbox", user_id))


def _session_key(session_token: str, secret_key: str) -> bytes:
    return _draw(session_token.encode(), salt=secret_key.encode(), purpose=b"traboule session credential")


def _outbox_key(secret_key: str) -> bytes:
    return _draw(secret_key.encode(), salt=None, purpose=b"traboule outbox credential")


def _draw(material: bytes, salt: bytes | None, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=salt, info=purpose).derive(material)


def _belongs_to(kind: str, user_id: int) -> bytes:
    return f"{kind}:{user_id}".encode()


def _seal(password: str, key: bytes, belongs_to: bytes) -> bytes:
    nonce = os.urandom(_NONCE)
    return _VERSION + nonce + AESGCM(key).encrypt(nonce, password.encode(), belongs_to)


def _open(sealed: bytes, key: bytes, belongs_to: bytes) -> str:
    sealed = bytes(sealed)  # a database may give a memoryview
    if sealed[:1] != _VERSION or len(sealed) < 1 + _NONCE + 16:
        raise CannotOpen("not something that was sealed here")
    try:
        return AESGCM(key).decrypt(sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :], belongs_to).decode()
    except InvalidTag as error:
        raise CannotOpen("changed, or sealed with another key or for somebody else") from error
