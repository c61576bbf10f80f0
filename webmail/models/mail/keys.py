"""Tables of encryption: a person's keys, what opens them, and the certificates of others.

No private key is here in the clear: `OwnKeyRow.sealed` opens with the ring's secret alone, which stands nowhere; it comes out of
a `KeyringLock` by a passphrase, a sheet of paper or a passkey (`webmail/keys/keyring.py`).
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import peewee as pw

from webmail.models.accounts import User
from webmail.models.base import Table, now
from webmail.models.sign_in.factors import SecurityKey


class LockKind(StrEnum):
    """What opens a keyring."""

    PASSPHRASE = "passphrase"
    SHEET = "sheet"  # the code on the recovery sheet
    PASSKEY = "passkey"  # what a passkey computes for this page (WebAuthn's PRF)


class KeyOrigin(StrEnum):
    """Where a certificate of somebody else came from."""

    MET = "met"  # in or with a message
    AUTOCRYPT = "autocrypt"  # in a message's header of that name
    WKD = "wkd"  # from the web server of its domain
    DIRECTORY = "directory"  # a colleague's own, of this installation
    LDAP = "ldap"
    CARD = "card"  # of a contact
    IMPORTED = "imported"  # from a file


class Keyring(Table):
    """A person's keyring: there is one once they have protected their messages."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+", unique=True)
    made = pw.DateTimeField(default=now)
    changed = pw.DateTimeField(default=now)  # when the passphrase was chosen
    sheet_printed = pw.DateTimeField(null=True)  # when the person said that they have the recovery sheet

    class Meta:
        table_name = "keyrings"


class KeyringLock(Table):
    """The secret of a keyring, sealed by one of the things that open it."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+", index=False)
    kind = pw.CharField(max_length=12)
    passkey = pw.ForeignKeyField(SecurityKey, null=True, on_delete="CASCADE", backref="+")
    salt = pw.BlobField()
    cost = pw.CharField(max_length=100, default="")  # of Argon2id, and which secret of the installation is in it
    sealed = pw.BlobField()
    made = pw.DateTimeField(default=now)

    class Meta:
        table_name = "keyring_locks"
        indexes = ((("user", "kind"), False),)


class OpenedKeyring(Table):
    """A keyring that is open in one session: its secret, sealed by a key that only this session has, until it is closed.

    Without the session the row opens nothing, and without the row the session doesn't.
    """

    reference = pw.CharField(max_length=64, primary_key=True)  # SHA-256 of what the session knows it by
    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+")
    sealed = pw.BlobField()
    until = pw.DateTimeField(index=True)

    class Meta:
        table_name = "opened_keyrings"


class OwnKeyRow(Table):
    """A key of a person, private part and certificate."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+", index=False)
    kind = pw.CharField(max_length=10)  # "openpgp" or "smime"
    fingerprint = pw.CharField(max_length=128)  # hex, upper case
    key_ids = pw.TextField(default="")  # of all that can decrypt or sign in it, separated by spaces
    addresses = pw.TextField(default="")  # lower case, separated by line ends
    names = pw.TextField(default="")  # the same
    algorithm = pw.CharField(max_length=60, default="")
    certificate = pw.BlobField()  # OpenPGP: packets; S/MIME: DER
    sealed = pw.BlobField()  # the private key
    revocation = pw.BlobField(null=True)  # sealed too: the certificate that revokes it, made with it
    made = pw.DateTimeField(null=True)
    expires = pw.DateTimeField(null=True)
    revoked = pw.DateTimeField(null=True)
    can_sign = pw.BooleanField(default=True)
    can_encrypt = pw.BooleanField(default=True)
    preferred = pw.BooleanField(default=False)  # it signs, of those of its kind
    published = pw.BooleanField(default=False)  # colleagues and the world find its certificate by the address
    added = pw.DateTimeField(default=now)
    told = pw.DateTimeField(null=True)  # for which end of the certificate the person was told that it is near
    if TYPE_CHECKING:
        user_id: int

    class Meta:
        table_name = "own_keys"
        indexes = ((("user", "fingerprint"), True), (("expires",), False))


class KeyAddress(Table):
    """An address that a person's own key is published under."""

    key = pw.ForeignKeyField(OwnKeyRow, on_delete="CASCADE", backref="+")
    address = pw.CharField(max_length=254, index=True)  # lower case
    domain = pw.CharField(max_length=190)
    wkd_hash = pw.CharField(max_length=32)  # of the local part, as the web asks for it

    class Meta:
        table_name = "key_addresses"
        indexes = ((("wkd_hash", "domain"), False),)


class PlainRecipient(Table):
    """An address that a person chose never to encrypt messages for."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+", index=False)
    address = pw.CharField(max_length=254)  # lower case
    added = pw.DateTimeField(default=now)
    if TYPE_CHECKING:
        user_id: int

    class Meta:
        table_name = "plain_recipients"
        indexes = ((("user", "address"), True),)


class KnownCertificateRow(Table):
    """A certificate of somebody else, as one person knows it: a row for each of its addresses that they met."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+", index=False)
    address = pw.CharField(max_length=254)  # lower case
    kind = pw.CharField(max_length=10)
    fingerprint = pw.CharField(max_length=128)
    name = pw.CharField(max_length=190, default="")
    algorithm = pw.CharField(max_length=60, default="")
    certificate = pw.BlobField()
    key_ids = pw.TextField(default="")
    made = pw.DateTimeField(null=True)
    expires = pw.DateTimeField(null=True)
    revoked = pw.DateTimeField(null=True)
    can_encrypt = pw.BooleanField(default=True)
    can_sign = pw.BooleanField(default=True)
    origin = pw.CharField(max_length=12)  # a KeyOrigin
    prefers_encryption = pw.BooleanField(default=False)  # as its owner says by Autocrypt
    times_met = pw.IntegerField(default=0)
    first_met = pw.DateTimeField(default=now)
    last_met = pw.DateTimeField(default=now)
    checked = pw.DateTimeField(null=True)  # when the person compared its fingerprint
    blocked = pw.DateTimeField(null=True)
    if TYPE_CHECKING:
        user_id: int

    class Meta:
        table_name = "known_certificates"
        indexes = ((("user", "address", "fingerprint"), True), (("user", "fingerprint"), False))


class CertificateRevocation(Table):
    """Whether an authority withdrew a certificate (S/MIME) that signed messages: of nobody, for all who read them."""

    fingerprint = pw.CharField(max_length=128, unique=True)  # hex, upper case
    certificate = pw.BlobField()  # DER
    chain = pw.BlobField()  # those that came with it, PEM
    revoked = pw.DateTimeField(null=True)  # since when
    reason = pw.CharField(max_length=40, default="")  # RFC 5280's, in small letters
    due = pw.DateTimeField(null=True, index=True)  # when the worker is to ask; none: it need not
    asked = pw.DateTimeField(null=True)
    fresh_until = pw.DateTimeField(null=True)  # no look at a message asks again before
    wanted = pw.DateTimeField(default=now, index=True)  # when somebody looked last

    class Meta:
        table_name = "certificate_revocations"


class StagedCertificate(Table):
    """A key file (PKCS#12) that an authority made for a person, until they take it. It stays locked all the while."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+")
    digest = pw.CharField(max_length=64)  # SHA-256 of the file, so that the same one is not there twice
    name = pw.CharField(max_length=190, default="")  # of the file
    sealed = pw.BlobField()  # the file as it came, sealed by the installation's secret besides
    expires = pw.DateTimeField(null=True)  # the certificate, where it could be read
    added = pw.DateTimeField(default=now)
    told = pw.DateTimeField(null=True, index=True)  # when its person was told

    class Meta:
        table_name = "staged_certificates"
        indexes = ((("user", "digest"), True),)
