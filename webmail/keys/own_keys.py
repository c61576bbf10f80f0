"""Own keys: the keys of a person, which sign what they write and open what was encrypted for them.

The private part of each is sealed by the secret of the keyring (`keyring.py`): OpenPGP as a transferable secret key, S/MIME as
PEM: the private key, then the certificates of who signed its own (`smime_key`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from webmail import vault
from webmail.database.connection import db
from webmail.database.idempotency import in_turn
from webmail.database.prepared import Prepared
from webmail.keys.certificate_columns import described
from webmail.keys.key_errors import KeyringClosedError, NoSuchKeyError, TooManyKeysError
from webmail.keys.open_keyring import OpenKeyring
from webmail.models import OwnKeyRow, User, now

if TYPE_CHECKING:
    from webmail.crypto.certificate_facts import CertificateFacts
    from webmail.crypto.x509_certificates import SmimeKey

OPENPGP, SMIME = "openpgp", "smime"
MOST = 30  # of one person
LARGEST = 512 * 1024  # bytes of a key with its certificate
_MOST_ADDRESSES = 50
NOTICE = timedelta(days=30)  # before a certificate ends, its owner is told
_END_OF_PRIVATE = b"-----END PRIVATE KEY-----\n"
_PRIVATE, _REVOCATION = "private key", "revocation certificate"


@dataclass(frozen=True, slots=True)
class OwnKey:
    """A key of a person. Times are naive UTC; `sealed` opens with `secret_of` alone."""

    id: int
    user_id: int
    kind: str  # OPENPGP or SMIME
    fingerprint: str  # hex, upper case
    key_ids: tuple[str, ...]
    addresses: tuple[str, ...]  # lower case
    names: tuple[str, ...]
    algorithm: str
    certificate: bytes
    made: datetime | None
    expires: datetime | None
    revoked: datetime | None
    can_sign: bool
    can_encrypt: bool
    preferred: bool
    published: bool
    added: datetime
    sealed: bytes = field(repr=False)
    revocation: bytes | None = field(repr=False)

    def is_good(self, at: datetime | None = None) -> bool:
        """Whether it may sign, and others encrypt for it: neither revoked nor at its end."""
        return self.revoked is None and (self.expires is None or self.expires > (at or now()))


_of_user = Prepared(lambda slot: OwnKeyRow.select().where(OwnKeyRow.user == slot("user")).order_by(OwnKeyRow.id))


def own_keys(user_id: int) -> list[OwnKey]:
    """All of a person's, good or not: the preferred ones first, then the newest. One SELECT."""
    rows = sorted(_of_user(user=user_id), key=lambda row: (not row.preferred, -row.id))
    return [_told(row) for row in rows]


def find(user_id: int, number: int) -> OwnKey:
    """One SELECT. Raises NoSuchKeyError, for somebody else's too."""
    found = next((one for one in own_keys(user_id) if one.id == number), None)
    if found is None:
        raise NoSuchKeyError(f"account {user_id} has no key {number}")
    return found


def signing_key(keys: Sequence[OwnKey], address: str, kind: str) -> OwnKey | None:
    """The key that signs what is sent from an address: a good one of this kind that names it, the preferred one before others."""
    at, wanted = now(), address.lower()
    return next((one for one in keys if one.kind == kind and one.can_sign and wanted in one.addresses and one.is_good(at)), None)


def encryption_keys(keys: Sequence[OwnKey], kind: str) -> list[OwnKey]:
    """The good keys that something is encrypted for so that the person reads it themselves."""
    at = now()
    return [one for one in keys if one.kind == kind and one.can_encrypt and one.is_good(at)]


def secret_of(key: OwnKey, opened: OpenKeyring | None) -> bytes:
    """The private key. Raises KeyringClosedError."""
    return _unsealed(key, key.sealed, _PRIVATE, opened)


def smime_key(key: OwnKey, opened: OpenKeyring | None) -> SmimeKey:
    """What `webmail/crypto/smime.py` signs and decrypts with. Raises KeyringClosedError."""
    from webmail.crypto.x509_certificates import SmimeKey, split_certificates

    private, ending, chain = secret_of(key, opened).partition(_END_OF_PRIVATE)
    return SmimeKey(private + ending, key.certificate, tuple(split_certificates(chain)) if chain.strip() else ())


def revocation_of(key: OwnKey, opened: OpenKeyring | None) -> bytes:
    """The certificate that revokes it, b"" where none was made. Raises KeyringClosedError."""
    return b"" if key.revocation is None else _unsealed(key, key.revocation, _REVOCATION, opened)


def _unsealed(key: OwnKey, sealed: bytes, purpose: str, opened: OpenKeyring | None) -> bytes:
    if opened is None or opened.user_id != key.user_id:
        raise KeyringClosedError(f"the keyring of account {key.user_id} is closed")
    try:
        return vault.open_by(opened.secret, sealed, f"{purpose} {key.fingerprint}", key.user_id)
    except vault.CannotOpenError as error:
        raise KeyringClosedError(f"key {key.id} was sealed by another keyring") from error


# --- writing ---------------------------------------------------------------------------------------------------------


def add(
    user: User, opened: OpenKeyring, facts: CertificateFacts, certificate: bytes, private: bytes, revocation: bytes = b""
) -> tuple[OwnKey, bool]:
    """Keep a key, and whether it is new: the same one again brings its certificate up to date.

    The first good one of its kind is preferred. Raises TooManyKeysError.
    """
    fingerprint = facts.fingerprint.upper()
    columns = _described(facts) | {
        "certificate": certificate,
        "sealed": vault.seal_by(opened.secret, private, f"{_PRIVATE} {fingerprint}", user.id),
    }
    if revocation:
        columns["revocation"] = vault.seal_by(opened.secret, revocation, f"{_REVOCATION} {fingerprint}", user.id)
    with db.atomic():
        in_turn(user)
        mine = own_keys(user.id)
        same = next((one for one in mine if one.fingerprint == fingerprint), None)
        if same is not None:
            _update(same.id, columns)
            return find(user.id, same.id), False
        if len(mine) >= MOST:
            raise TooManyKeysError(f"{user.address} has {len(mine)} keys")
        first = not any(one.preferred and one.kind == columns["kind"] and one.is_good() for one in mine)
        row = OwnKeyRow.create(user=user.id, fingerprint=fingerprint, preferred=first, **columns)
        return find(user.id, row.id), True


def replace_certificate(key: OwnKey, facts: CertificateFacts, certificate: bytes) -> None:
    """Put another state of the same certificate in its place, such as a revoked one. One UPDATE."""
    _update(key.id, _described(facts) | {"certificate": certificate})


def note_revoked(key: OwnKey) -> None:
    """It signs nothing any more, and is published no longer as one to encrypt for. One UPDATE."""
    _update(key.id, {"revoked": now(), "preferred": False})


def prefer(user: User, key: OwnKey) -> None:
    """Let this one sign, of those of its kind."""
    with db.atomic():
        in_turn(user)
        same = (OwnKeyRow.user == user.id) & (OwnKeyRow.kind == key.kind)
        OwnKeyRow.update(preferred=False).where(same, OwnKeyRow.id != key.id).execute()
        _update(key.id, {"preferred": True})


def remove(user: User, key: OwnKey) -> bool:
    """Whether it was still there. What was encrypted for it alone can't be read afterwards."""
    mine = (OwnKeyRow.id == key.id) & (OwnKeyRow.user == user.id)
    return bool(OwnKeyRow.delete().where(mine).execute())


# --- the end of certificates -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class EndingKey:
    """A certificate that ends within NOTICE, whose owner was not told."""

    number: int
    user: User
    expires: datetime


def ending() -> list[EndingKey]:
    """Those of active people that nothing newer of the same kind stands beside: who has the next one already needs no word."""
    at = now()
    soon = (OwnKeyRow.expires > at) & (OwnKeyRow.expires <= at + NOTICE) & OwnKeyRow.revoked.is_null()
    untold = OwnKeyRow.told.is_null() | (OwnKeyRow.told != OwnKeyRow.expires)
    rows = OwnKeyRow.select(OwnKeyRow, User).join(User).where(soon, untold, User.active == 1).order_by(OwnKeyRow.id).limit(500)
    return [EndingKey(row.id, row.user, row.expires) for row in rows if row.expires is not None and not _has_next(row)]


def note_told(certificate: EndingKey) -> bool:
    """Whether this was the first to say so. One UPDATE."""
    same = (OwnKeyRow.id == certificate.number) & (OwnKeyRow.expires == certificate.expires)
    untold = OwnKeyRow.told.is_null() | (OwnKeyRow.told != certificate.expires)
    return bool(OwnKeyRow.update(told=certificate.expires).where(same, untold).execute())


def _has_next(row: OwnKeyRow) -> bool:
    later = now() + NOTICE
    mine = [one for one in own_keys(row.user_id) if one.id != row.id and one.kind == row.kind and one.is_good(later)]
    return any(set(row.addresses.splitlines()) <= set(one.addresses) for one in mine)


def _update(number: int, columns: dict[str, Any]) -> None:
    OwnKeyRow.update(columns).where(OwnKeyRow.id == number).execute()


def _described(facts: CertificateFacts) -> dict[str, Any]:
    addresses = [one.lower() for one in facts.addresses[:_MOST_ADDRESSES]]
    return described(facts) | {"addresses": "\n".join(addresses), "names": "\n".join(facts.names[:_MOST_ADDRESSES])}


def _told(row: OwnKeyRow) -> OwnKey:
    return OwnKey(
        row.id, row.user_id, row.kind, row.fingerprint, tuple(row.key_ids.split()), tuple(row.addresses.splitlines()),
        tuple(row.names.splitlines()), row.algorithm, bytes(row.certificate), row.made, row.expires, row.revoked,
        row.can_sign, row.can_encrypt, row.preferred, row.published, row.added, bytes(row.sealed),
        None if row.revocation is None else bytes(row.revocation),
    )  # fmt: skip
