"""Getting back in, and signing in by providers: telephones, resets, deputies, support requests, linked accounts."""

import peewee as pw

# a process of the version before still adds rows
EMPTY = {"default": "", "constraints": [pw.SQL("DEFAULT ''")]}
ACCOUNT = [
    ("name_given", pw.CharField(max_length=190, null=True)),
    ("reset_by_mail", pw.IntegerField(default=0, constraints=[pw.SQL("DEFAULT 0")])),
    ("phone", pw.CharField(max_length=20, **EMPTY)),
    ("provider", pw.CharField(max_length=40, **EMPTY)),
    ("temporary_until", pw.DateTimeField(null=True)),
    ("deletion_asked", pw.DateTimeField(null=True)),
    ("deletion_reason", pw.CharField(max_length=500, **EMPTY)),
]
SESSION = [
    ("provider", pw.CharField(max_length=40, **EMPTY)),
    ("provider_session", pw.CharField(max_length=64, index=True, **EMPTY)),
]
MEMBER = [("provider", pw.CharField(max_length=40, **EMPTY))]


class User(pw.Model):
    class Meta:
        table_name = "accounts"


class PeopleGroup(pw.Model):
    class Meta:
        table_name = "people_groups"


class PasswordReset(pw.Model):
    user = pw.ForeignKeyField(User, null=True, on_delete="CASCADE", backref="+")
    token_hash = pw.CharField(max_length=64, unique=True)
    channel = pw.CharField(max_length=4)
    code_hash = pw.CharField(max_length=64, default="")
    tries = pw.IntegerField(default=0)
    known = pw.BooleanField(default=False)
    sent = pw.DateTimeField(null=True)
    proved = pw.DateTimeField(null=True)
    used = pw.DateTimeField(null=True)
    network = pw.CharField(max_length=64, default="")
    created = pw.DateTimeField(index=True)

    class Meta:
        table_name = "password_resets"


class Deputy(pw.Model):
    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+", index=False)
    group = pw.ForeignKeyField(PeopleGroup, on_delete="CASCADE", backref="+")
    created = pw.DateTimeField()

    class Meta:
        table_name = "deputies"
        indexes = ((("user", "group"), True),)


class SupportRequest(pw.Model):
    reference = pw.CharField(max_length=12, unique=True)
    user = pw.ForeignKeyField(User, null=True, on_delete="SET NULL", backref="+")
    username = pw.CharField(max_length=254, default="")
    kind = pw.CharField(max_length=20)
    text = pw.TextField(default="")
    contact = pw.CharField(max_length=254, default="")
    browser = pw.CharField(max_length=255, default="")
    network = pw.CharField(max_length=64, default="")
    language = pw.CharField(max_length=5, default="")
    created = pw.DateTimeField(index=True)
    closed = pw.DateTimeField(null=True)

    class Meta:
        table_name = "support_requests"


class LinkedAccount(pw.Model):
    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+")
    provider = pw.CharField(max_length=40)
    subject = pw.CharField(max_length=255)
    shown = pw.CharField(max_length=254, default="")
    created = pw.DateTimeField()
    used = pw.DateTimeField()
    left = pw.DateTimeField(null=True)

    class Meta:
        table_name = "linked_accounts"
        indexes = ((("provider", "subject"), True), (("user", "provider"), True), (("provider", "shown"), False))


class UsedToken(pw.Model):
    hash = pw.CharField(max_length=64, primary_key=True)
    expires = pw.DateTimeField(index=True)

    class Meta:
        table_name = "used_tokens"


TABLES = [PasswordReset, Deputy, SupportRequest, LinkedAccount, UsedToken]


def up(migrator, db):
    migrator.migrate(*(migrator.add_column("accounts", name, field) for name, field in ACCOUNT))
    migrator.migrate(*(migrator.add_column("session", name, field) for name, field in SESSION))
    migrator.migrate(*(migrator.add_column("group_members", name, field) for name, field in MEMBER))
    with db.bind_ctx([User, PeopleGroup, *TABLES]):
        db.create_tables(TABLES)


def down(migrator, db):
    with db.bind_ctx([User, PeopleGroup, *TABLES]):
        db.drop_tables(TABLES)
    migrator.migrate(*(migrator.drop_column("group_members", name) for name, _field in MEMBER))
    migrator.migrate(migrator.drop_index("session", "session_provider_session"))
    migrator.migrate(*(migrator.drop_column("session", name) for name, _field in SESSION))
    migrator.migrate(*(migrator.drop_column("accounts", name) for name, _field in ACCOUNT))
