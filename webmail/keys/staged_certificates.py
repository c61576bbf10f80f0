"""Staged certificates: key files (PKCS#12) that the establishment's authority made for people, until each person takes theirs.

A file is kept as it came: locked by its own passphrase, which the authority gives to the person and which is stored nowhere. It
is sealed by the installation's secret besides, since such passphrases are often short: a copy of the database opens none.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime

import peewee as pw

from webmail import vault
from webmail.config.settings import Settings
from webmail.crypto import x509_certificates
from webmail.crypto.certificate_facts import CertificateFacts
from webmail.crypto.errors import LockedKeyError, MalformedDataError
from webmail.database.connection import db
from webmail.keys import key_making, own_keys
from webmail.keys.certificate_columns import stored_time
from webmail.keys.key_making import KeyFile
from webmail.keys.open_keyring import OpenKeyring
from webmail.models import StagedCertificate, User, now

LARGEST = 256 * 1024  # bytes of a file
MOST = 10  # that wait for one person
_PURPOSE = "staged certificate"


class UnreadableStagedError(MalformedDataError):
    """The installation has another secret than when the file was staged: the administrator has to import it again."""


class OtherPersonError(MalformedDataError):
    """The certificate in a file does not name the person's address."""


class TooManyStagedError(MalformedDataError):
    """As many files wait for this person as may."""


@dataclass(frozen=True, slots=True)
class WaitingCertificate:
    """A file that waits for a person. `name`: what the file was called; `expires`: of the certificate, where it is known."""

    number: int
    name: str
    added: datetime
    expires: datetime | None = None
    sealed: bytes = field(default=b"", repr=False)


def check(content: bytes, password: str, address: str, owner: object) -> CertificateFacts:
    """The certificate in a file for this address: opened once to look, and nothing of that is kept.

    Raises LockedKeyError, OtherPersonError and other CryptoErrors.
    """
    for key in x509_certificates.read_pkcs12(content, password, owner=owner):
        facts = x509_certificates.x509_facts(key.certificate)
        if address.lower() in facts.addresses:
            return facts
    raise OtherPersonError(f"no certificate for {address}")


def looks_locked(content: bytes) -> bool:
    """Whether it may be a key file that has a passphrase: DER, and not one that opens with none."""
    if content[:1] != b"\x30":
        return False
    try:
        x509_certificates.read_pkcs12(content, "", owner="staging")
    except MalformedDataError:
        return False
    except LockedKeyError:
        return True
    return False


def stage(user: User, name: str, content: bytes, settings: Settings, expires: datetime | None = None) -> bool:
    """Keep a file for a person; whether it is new. Raises TooManyStagedError."""
    row, digest = StagedCertificate, hashlib.sha256(content).hexdigest()
    with db.atomic():
        if row.select().where(row.user == user, row.digest == digest).exists():
            return False
        if row.select().where(row.user == user).count() >= MOST:
            raise TooManyStagedError(f"{MOST} files wait for {user.address}")
        sealed = vault.seal_secret(content, settings.secret_key, _PURPOSE, user.id)
        row.create(user=user, digest=digest, name=name[:190], sealed=sealed, expires=stored_time(expires))
    return True


def waiting(user_id: int) -> list[WaitingCertificate]:
    """What waits for a person, the newest first, without the files. One SELECT."""
    row = StagedCertificate
    found = row.select(row.id, row.name, row.added, row.expires).where(row.user == user_id).order_by(row.id.desc())
    return [WaitingCertificate(one.id, one.name, one.added, one.expires) for one in found]


def find(user_id: int, number: int) -> WaitingCertificate | None:
    """With its file. One SELECT; None for somebody else's too."""
    row = StagedCertificate
    mine = (row.user == user_id) & (row.id == number)
    one = row.get_or_none(mine) if number < 2**63 else None
    return WaitingCertificate(one.id, one.name, one.added, one.expires, bytes(one.sealed)) if one else None


def take(user: User, opened: OpenKeyring, found: WaitingCertificate, password: str, settings: Settings) -> KeyFile:
    """Put the key into the person's keyring, sealed by it, and forget the file. The newest signs from then on; older ones stay.

    Raises UnreadableStagedError, BadKeyFileError, TooManyKeysError.
    """
    try:
        content = vault.open_secret(found.sealed, settings.secret_key, _PURPOSE, user.id)
    except vault.CannotOpenError as error:
        raise UnreadableStagedError("another secret") from error
    taken = key_making.read_file(user, opened, content, password)
    for key in taken.new:
        own_keys.prefer(user, key)
    forget(user.id, found.number)
    return taken


def forget(user_id: int, number: int) -> None:
    """One DELETE."""
    row = StagedCertificate
    row.delete().where(row.user == user_id, row.id == number).execute()


# --- of the worker ---------------------------------------------------------------------------------------------------


def untold() -> pw.Query:
    """Those of which their people were not told."""
    row = StagedCertificate
    return row.select(row, User).join(User).where(row.told.is_null(), User.active == 1).order_by(row.id).limit(200)


def note_told(row: StagedCertificate) -> bool:
    """Whether it was this worker that noted it. One UPDATE."""
    one = StagedCertificate
    return bool(one.update(told=now()).where(one.id == row.id, one.told.is_null()).execute())
