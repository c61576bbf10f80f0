"""Key making: keys are made, read from files, written to files and revoked. No Flask here.

Everything here runs a program (`webmail/crypto/`), and raises its errors: CryptoMissingError, CryptoBusyError and others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from webmail.config.settings import Settings
from webmail.crypto import openpgp, x509_certificates
from webmail.crypto.certificate_facts import CertificateFacts
from webmail.crypto.certificates import facts_of, is_x509, split_certificates
from webmail.crypto.errors import CryptoTooLargeError, LockedKeyError, MalformedDataError
from webmail.crypto.external_programs import is_installed
from webmail.crypto.openpgp import KeyAlgorithm
from webmail.crypto.openpgp_certificates import read_certificate
from webmail.crypto.x509_certificates import SmimeKey, as_pem
from webmail.keys import known_certificates, own_keys
from webmail.keys.key_errors import BadKeyFileError
from webmail.keys.open_keyring import OpenKeyring
from webmail.keys.own_keys import OPENPGP, SMIME, OwnKey
from webmail.models import KeyOrigin, User

LARGEST_FILE = 5 * 1024 * 1024  # bytes
MOST_IN_FILE = 20  # keys with their private part
_MOST_OTHERS = 200  # certificates of others in a file
_MOST_ADDRESSES = 20
_Certificate = tuple[bytes, CertificateFacts]


@dataclass(frozen=True, slots=True)
class KeyFile:
    """What a file gave: own keys, those that were new among them, and of how many others a certificate."""

    keys: tuple[OwnKey, ...]
    new: tuple[OwnKey, ...]
    others: int


def is_available(settings: Settings) -> bool:
    """Whether people here can encrypt."""
    return settings.encryption and is_installed(openpgp.PROGRAM)


def make_openpgp(user: User, opened: OpenKeyring, addresses: Sequence[str], settings: Settings) -> OwnKey:
    """A new OpenPGP key of version 4 for these addresses of a person, without an end. Half a second of a process."""
    algorithm = KeyAlgorithm.RSA if settings.encryption_key == "rsa" else KeyAlgorithm.CURVE25519
    first, *also = addresses[:_MOST_ADDRESSES]
    private = openpgp.generate_key(user.name, first, algorithm, owner=user.id, also=also)
    return _add_openpgp(user, opened, private)[0]


def read_file(user: User, opened: OpenKeyring, content: bytes, password: str) -> KeyFile:
    """Keep what is in a file of keys: own keys with their private part, and certificates of others.

    `password`: of the file. Raises BadKeyFileError (`large`, `empty`, `many`, `password`), TooManyKeysError.
    """
    if len(content) > LARGEST_FILE:
        raise BadKeyFileError("large")
    try:
        smime, openpgp_keys, others = _taken_apart(content, password, user.id)
    except CryptoTooLargeError as error:
        raise BadKeyFileError("large") from error
    except MalformedDataError as error:
        raise BadKeyFileError("empty") from error
    except LockedKeyError as error:
        raise BadKeyFileError("password") from error
    added = [_add_openpgp(user, opened, raw) for raw in openpgp_keys] + [_add_smime(user, opened, key) for key in smime]
    known = sum(bool(note_imported(user, raw, facts)) for raw, facts in others)
    return KeyFile(tuple(key for key, _new in added), tuple(key for key, new in added if new), known)


def _taken_apart(content: bytes, password: str, owner: int) -> tuple[list[SmimeKey], list[bytes], list[_Certificate]]:
    """What is in a file, unlocked: keys of S/MIME, keys of OpenPGP, certificates of others. Nothing is kept yet."""
    if _is_pkcs12(content):
        return x509_certificates.read_pkcs12(content, password, owner=owner)[:MOST_IN_FILE], [], []
    if is_x509(content) and b"PRIVATE KEY-----" in content:
        return x509_certificates.read_pem_key(content, password, owner=owner)[:MOST_IN_FILE], [], []
    found = [(raw, facts_of(raw)) for raw in split_certificates(content)]
    own = [raw for raw, facts in found if facts.is_secret]
    others = [(raw, facts) for raw, facts in found if not facts.is_secret]
    if len(own) > MOST_IN_FILE or len(others) > _MOST_OTHERS:
        raise BadKeyFileError("many")
    return [], [openpgp.without_password(raw, password, owner=owner) for raw in own], others


def _is_pkcs12(content: bytes) -> bool:
    """Whether it is DER, and no certificate: those begin so too."""
    if content[:1] != b"\x30":
        return False
    try:
        x509_certificates.split_certificates(content)
    except MalformedDataError:
        return True
    return False


def note_imported(user: User, raw: bytes, facts: CertificateFacts, origin: KeyOrigin = KeyOrigin.IMPORTED) -> int:
    """Keep somebody else's certificate under its own addresses; returns under how many."""
    return known_certificates.note_met(user.id, facts, raw, facts.addresses[:_MOST_ADDRESSES], origin)


def note_found(user: User, raw: bytes, facts: CertificateFacts, address: str) -> int:
    """Keep a certificate that the domain of an address publishes for it; whether it could be."""
    return known_certificates.note_met(user.id, facts, raw, [address], KeyOrigin.WKD)


def written(key: OwnKey, opened: OpenKeyring | None, password: str) -> bytes:
    """The key with its private part, locked with a passphrase: armoured OpenPGP, or PKCS#12. Raises KeyringClosedError."""
    if key.kind == SMIME:
        return x509_certificates.write_pkcs12(own_keys.smime_key(key, opened), password, " ".join(key.names[:1]))
    private = own_keys.secret_of(key, opened)
    return openpgp.armoured(openpgp.with_password(private, password, owner=key.user_id), owner=key.user_id)


def certificate_text(key: OwnKey) -> bytes:
    """The public part as text, which can be given to anybody."""
    return openpgp.armoured(key.certificate, owner=key.user_id) if key.kind == OPENPGP else as_pem([key.certificate])


def revoke(key: OwnKey, opened: OpenKeyring | None) -> None:
    """From now on nobody encrypts for it or believes what it signs. What was encrypted for it can still be read.

    Raises KeyringClosedError.
    """
    if key.kind == OPENPGP:
        text = own_keys.revocation_of(key, opened) or openpgp.revocation_of(own_keys.secret_of(key, opened), owner=key.user_id)
        revoked = openpgp.merge(key.certificate, [text], owner=key.user_id)
        own_keys.replace_certificate(key, read_certificate(revoked).facts(), revoked)
    own_keys.note_revoked(key)


def _add_openpgp(user: User, opened: OpenKeyring, private: bytes) -> tuple[OwnKey, bool]:
    certificate = openpgp.certificate_of(private, owner=user.id)
    revocation = openpgp.revocation_of(private, owner=user.id)
    return own_keys.add(user, opened, read_certificate(certificate).facts(), certificate, private, revocation)


def _add_smime(user: User, opened: OpenKeyring, key: SmimeKey) -> tuple[OwnKey, bool]:
    private = key.key + as_pem(key.chain)
    return own_keys.add(user, opened, x509_certificates.x509_facts(key.certificate), key.certificate, private)
