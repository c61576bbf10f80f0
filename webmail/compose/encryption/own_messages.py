"""Own messages: bytes encrypted for oneself, such as what opens the seal of a draft; read again with one's private keys."""

from __future__ import annotations

from collections.abc import Sequence

from webmail.compose.encryption.protection_errors import NoOwnKeyError
from webmail.keys import own_keys
from webmail.keys.open_keyring import OpenKeyring
from webmail.keys.own_keys import OPENPGP, SMIME, OwnKey

KINDS = (OPENPGP, SMIME)  # of keys, in the order in which they are taken where nothing else decides
_MARKS = {OPENPGP: b"O", SMIME: b"S"}  # the first byte of what is encrypted for oneself says by what the rest is read


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
    return _MARKS[kind] + encrypted_for(data, certificates(keys, kind), kind, owner, mine=True)


def encrypted_for(
    data: bytes, those: Sequence[bytes], kind: str, owner: int, *, sign_with: bytes | None = None, mine: bool = False
) -> bytes:
    """OpenPGP: armored, signed inside where there is a key. S/MIME: DER, not signed; so that an alteration is noticed where it is
    for oneself (`mine`), and others as their programs read it. Raises CryptoError.
    """
    if kind == OPENPGP:
        from webmail.crypto import openpgp

        return openpgp.encrypt(data, those, sign_with=sign_with, owner=owner)
    from webmail.crypto import smime, x509_certificates

    own = [x509_certificates.split_certificates(one)[0] for one in those]
    return smime.encrypt(data, own, authenticated=mine, owner=owner)


def read(sealed: bytes, keys: Sequence[OwnKey], opened: OpenKeyring | None, owner: int) -> bytes:
    """With whichever of one's keys fits, past ones too. One process. Raises KeyringClosedError, CryptoError."""
    kind = next((kind for kind, mark in _MARKS.items() if sealed[:1] == mark), OPENPGP)
    mine = [(own_keys.secret_of(one, opened), one.certificate) for one in keys if one.kind == kind]
    if kind == OPENPGP:
        from webmail.crypto import openpgp

        return openpgp.decrypt(sealed[1:], [secret for secret, _certificate in mine], owner=owner).content
    from webmail.keys.messages import smime_layers

    return smime_layers.decrypt(sealed[1:], mine, owner).content
