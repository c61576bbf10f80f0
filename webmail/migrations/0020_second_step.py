"""The second step at sign-in, app passwords, the recovery address and the terms of use."""

import peewee as pw

# a process of the version before still adds rows
NO = {"default": False, "constraints": [pw.SQL("DEFAULT FALSE")]}
ZERO = {"default": 0, "constraints": [pw.SQL("DEFAULT 0")]}
EMPTY = {"default": "", "constraints": [pw.SQL("DEFAULT ''")]}
SESSION = [
    ("lasting", pw.BooleanField(**NO)),
    ("pending", pw.BooleanField(**NO)),
    ("confirmed", pw.DateTimeField(null=True)),
]
ACCOUNT = [
    ("second_step", pw.IntegerField(**ZERO)),
    ("mailed_step", pw.IntegerField(**ZERO)),
    ("second_step_due", pw.DateTimeField(null=True)),
    ("recovery_address", pw.CharField(max_length=254, **EMPTY)),
    ("recovery_asked", pw.DateTimeField(null=True)),
    ("terms", pw.CharField(max_length=40, **EMPTY)),
    ("terms_at", pw.DateTimeField(null=True)),
]


class User(pw.Model):
    class Meta:
        table_name = "accounts"


class TrustedDevice(pw.Model):
    token_hash = pw.CharField(max_length=64, primary_key=True)
    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+")
    user_agent = pw.CharField(max_length=255, default="")
    network = pw.CharField(max_length=64, default="")
    created = pw.DateTimeField()
    expires = pw.DateTimeField(index=True)

    class Meta:
        table_name = "trusted_devices"


class Authenticator(pw.Model):
    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+")
    name = pw.CharField(max_length=60, default="")
    secret = pw.BlobField()
    last_step = pw.BigIntegerField(default=0)
    created = pw.DateTimeField()
    used = pw.DateTimeField(null=True)

    class Meta:
        table_name = "authenticators"


class SecurityKey(pw.Model):
    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+")
    name = pw.CharField(max_length=60, default="")
    credential_hash = pw.CharField(max_length=64, unique=True)
    credential_id = pw.BlobField()
    public_key = pw.BlobField()
    sign_count = pw.BigIntegerField(default=0)
    transports = pw.CharField(max_length=60, default="")
    passkey = pw.BooleanField(default=False)
    created = pw.DateTimeField()
    used = pw.DateTimeField(null=True)

    class Meta:
        table_name = "security_keys"


class UsedChallenge(pw.Model):
    hash = pw.CharField(max_length=64, primary_key=True)
    at = pw.DateTimeField(index=True)

    class Meta:
        table_name = "used_challenges"


class RecoveryCode(pw.Model):
    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+")
    code_hash = pw.CharField(max_length=64, index=True)
    created = pw.DateTimeField()
    used = pw.DateTimeField(null=True)

    class Meta:
        table_name = "recovery_codes"


class MailedCode(pw.Model):
    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+", index=False)
    purpose = pw.CharField(max_length=20)
    address = pw.CharField(max_length=254)
    code_hash = pw.CharField(max_length=64)
    tries = pw.IntegerField(default=0)
    created = pw.DateTimeField(index=True)

    class Meta:
        table_name = "mailed_codes"
        indexes = ((("user", "purpose"), True),)


class Voucher(pw.Model):
    giver = pw.ForeignKeyField(User, null=True, on_delete="CASCADE", backref="+")
    receiver = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+")
    named = pw.CharField(max_length=254)
    session = pw.CharField(max_length=64, index=True)
    number = pw.CharField(max_length=4)
    tries = pw.IntegerField(default=0)
    user_agent = pw.CharField(max_length=255, default="")
    network = pw.CharField(max_length=64, default="")
    created = pw.DateTimeField()
    expires = pw.DateTimeField(index=True)
    given = pw.DateTimeField(null=True)
    refused = pw.DateTimeField(null=True)
    used = pw.DateTimeField(null=True)

    class Meta:
        table_name = "vouchers"


class AppPassword(pw.Model):
    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+")
    name = pw.CharField(max_length=60)
    sha = pw.CharField(max_length=64, unique=True)
    imap = pw.IntegerField(default=0)
    smtp = pw.IntegerField(default=0)
    caldav = pw.IntegerField(default=0)
    carddav = pw.IntegerField(default=0)
    created = pw.DateTimeField()
    expires = pw.BigIntegerField(null=True)
    used = pw.DateTimeField(null=True)
    used_protocol = pw.CharField(max_length=10, default="")
    used_network = pw.CharField(max_length=64, default="")

    class Meta:
        table_name = "app_passwords"


TABLES = [TrustedDevice, Authenticator, SecurityKey, UsedChallenge, RecoveryCode, MailedCode, Voucher, AppPassword]


def up(migrator, db):
    migrator.migrate(*(migrator.add_column("session", name, field) for name, field in SESSION))
    migrator.migrate(*(migrator.add_column("accounts", name, field) for name, field in ACCOUNT))
    with db.bind_ctx([User, *TABLES]):
        db.create_tables(TABLES)


def down(migrator, db):
    with db.bind_ctx([User, *TABLES]):
        db.drop_tables(TABLES)
    migrator.migrate(*(migrator.drop_column("accounts", name) for name, _field in ACCOUNT))
    migrator.migrate(*(migrator.drop_column("session", name) for name, _field in SESSION))
