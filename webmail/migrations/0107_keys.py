"""Encryption: people's keys, what opens them, and the certificates of others."""

from datetime import UTC, datetime

import peewee as pw


def up(migrator, db):
    db.create_tables(_tables(db))
    migrator.migrate(migrator.add_column("accounts", "has_keys", pw.IntegerField(null=True)))


def down(migrator, db):
    migrator.migrate(migrator.drop_column("accounts", "has_keys"))
    db.drop_tables(_tables(db))


def _now():
    return datetime.now(UTC).replace(tzinfo=None)


def _tables(db):
    class Base(pw.Model):
        class Meta:
            database = db

    class User(Base):
        class Meta:
            table_name = "accounts"

    class SecurityKey(Base):
        class Meta:
            table_name = "security_keys"

    class Keyring(Base):
        user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+", unique=True)
        made = pw.DateTimeField(default=_now)
        changed = pw.DateTimeField(default=_now)
        sheet_printed = pw.DateTimeField(null=True)

        class Meta:
            table_name = "keyrings"

    class KeyringLock(Base):
        user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+", index=False)
        kind = pw.CharField(max_length=12)
        passkey = pw.ForeignKeyField(SecurityKey, null=True, on_delete="CASCADE", backref="+")
        salt = pw.BlobField()
        cost = pw.CharField(max_length=100, default="")
        sealed = pw.BlobField()
        made = pw.DateTimeField(default=_now)

        class Meta:
            table_name = "keyring_locks"
            indexes = ((("user", "kind"), False),)

    class OpenedKeyring(Base):
        reference = pw.CharField(max_length=64, primary_key=True)
        user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+")
        sealed = pw.BlobField()
        until = pw.DateTimeField(index=True)

        class Meta:
            table_name = "opened_keyrings"

    class OwnKeyRow(Base):
        user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+", index=False)
        kind = pw.CharField(max_length=10)
        fingerprint = pw.CharField(max_length=128)
        key_ids = pw.TextField(default="")
        addresses = pw.TextField(default="")
        names = pw.TextField(default="")
        algorithm = pw.CharField(max_length=60, default="")
        certificate = pw.BlobField()
        sealed = pw.BlobField()
        revocation = pw.BlobField(null=True)
        made = pw.DateTimeField(null=True)
        expires = pw.DateTimeField(null=True)
        revoked = pw.DateTimeField(null=True)
        can_sign = pw.BooleanField(default=True)
        can_encrypt = pw.BooleanField(default=True)
        preferred = pw.BooleanField(default=False)
        published = pw.BooleanField(default=False)
        added = pw.DateTimeField(default=_now)
        told = pw.DateTimeField(null=True)

        class Meta:
            table_name = "own_keys"
            indexes = ((("user", "fingerprint"), True), (("expires",), False))

    class KeyAddress(Base):
        key = pw.ForeignKeyField(OwnKeyRow, on_delete="CASCADE", backref="+")
        address = pw.CharField(max_length=254, index=True)
        domain = pw.CharField(max_length=190)
        wkd_hash = pw.CharField(max_length=32)

        class Meta:
            table_name = "key_addresses"
            indexes = ((("wkd_hash", "domain"), False),)

    class KnownCertificateRow(Base):
        user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+", index=False)
        address = pw.CharField(max_length=254)
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
        origin = pw.CharField(max_length=12)
        prefers_encryption = pw.BooleanField(default=False)
        times_met = pw.IntegerField(default=0)
        first_met = pw.DateTimeField(default=_now)
        last_met = pw.DateTimeField(default=_now)
        checked = pw.DateTimeField(null=True)
        blocked = pw.DateTimeField(null=True)

        class Meta:
            table_name = "known_certificates"
            indexes = ((("user", "address", "fingerprint"), True), (("user", "fingerprint"), False))

    return [Keyring, KeyringLock, OpenedKeyring, OwnKeyRow, KeyAddress, KnownCertificateRow]
