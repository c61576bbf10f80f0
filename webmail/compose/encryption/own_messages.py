"""Own messages: bytes encrypted for oneself, such as what opens the seal of a draft; read again with one's private keys."""

from __future__ import annotations

from collections.abc import Sequence

from webmail.compose.encryption.protection_errors import NoOwnKeyError
from webmail.crypto import openpgp
from webmail.keys import own_keys
from webmail.keys.open_keyring import OpenKeyring
from webmail.keys.own_keys import OPENPGP, OwnKey

KINDS = (OPENPGP,)  # of keys that messages are encrypted by, the one that is taken first where nothing else decides
_MARKS = {OPENPGP: b"O"}  # the first byte of what is encrypted for oneself says by what the rest is read


def kind_for_oneself(keys: Sequence[OwnKey]) -> str:
    """By which kind of key the person's own copies are encrypted: OpenPGP where they have both. Raises NoOwnKeyError."""
    for kind in KINDS:
        if own_keys.encryption_keys(keys, kind):
            return kind
    raise NoOwnKeyError("no key of one's own that something can be encrypted for")


def certificates(keys: Sequence[OwnKey], kind: str) -> list[bytes]:
    return [one.certificate for one in own_keys.encryption_keys(keys, kind)]


def encrypted(data: bytes, keys: Sequence[OwnKey], owner: int) -> bytes:
    """For all of one's good keys of a kind. One process. Raises NoOwnKeyError, CryptoError."""
    kind = kind_for_oneself(keys)
    return _MARKS[kind] + encrypted_for(data, certificates(keys, kind), kind, owner)


def encrypted_for(data: bytes, those: Sequence[bytes], kind: str, owner: int, *, sign_with: bytes | None = None) -> bytes:
    """OpenPGP: armored, signed inside where there is a key. Raises CryptoError."""
    return openpgp.encrypt(data, those, sign_with=sign_with, owner=owner)


def read(sealed: bytes, keys: Sequence[OwnKey], opened: OpenKeyring | None, owner: int) -> bytes:
    """With whichever of one's keys fits, past ones too. One process. Raises KeyringClosedError, CryptoError."""
    kind = next((kind for kind, mark in _MARKS.items() if sealed[:1] == mark), OPENPGP)
    return decrypted(sealed[1:], kind, keys, opened, owner)


def decrypted(data: bytes, kind: str, keys: Sequence[OwnKey], opened: OpenKeyring | None, owner: int) -> bytes:
    """Raises KeyringClosedError, CryptoError."""
    mine = [one for one in keys if one.kind == kind]
    secrets = [own_keys.secret_of(one, opened) for one in mine]
    return openpgp.decrypt(data, secrets, owner=owner).content
