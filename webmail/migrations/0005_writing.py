"""As whom people write: identities, the addresses they may use, signatures, texts written beforehand."""

import peewee as pw

# when messages leave, and how many people one may write to
SENDING = [
    ("outbox", "scheduled", pw.DateTimeField(null=True)),
    ("outbox", "revision", pw.CharField(max_length=32, null=True)),
    ("outbox", "people", pw.IntegerField(null=True)),
    ("outbox", "dsn", pw.BooleanField(null=True)),
    ("accounts", "recipients_per_hour", pw.IntegerField(null=True)),
    ("accounts", "recipients_per_day", pw.IntegerField(null=True)),
]

# how a message is written, and what its writer wishes
WRITTEN = [
    ("drafts", "format", pw.CharField(max_length=20, null=True)),
    ("drafts", "priority", pw.CharField(max_length=10, null=True)),
    ("drafts", "language", pw.CharField(max_length=35, null=True)),
    ("drafts", "read_receipt", pw.BooleanField(null=True)),
    ("drafts", "delivery_receipt", pw.BooleanField(null=True)),
]


def up(migrator, db):
    db.create_tables(tables(db))
    # nullable: on SQLite anything else would make the tables anew, and dropping the old ones would drop the drafts' files
    migrator.migrate(
        migrator.add_column("drafts", "identity", pw.BigIntegerField(null=True)),
        migrator.add_column("drafts", "reply_to", pw.TextField(null=True)),
        migrator.add_column("outbox", "sent_mailbox", pw.TextField(null=True)),
        *(migrator.add_column(table, name, field) for table, name, field in SENDING + WRITTEN),
    )


def down(migrator, db):
    migrator.migrate(*(migrator.drop_column(table, name) for table, name, _field in SENDING + WRITTEN))
    migrator.migrate(migrator.drop_column("drafts", "identity"), migrator.drop_column("drafts", "reply_to"))
    migrator.migrate(migrator.drop_column("outbox", "sent_mailbox"))
    db.drop_tables(list(reversed(tables(db))))


def tables(db):
    class Table(pw.Model):
        class Meta:
            database = db
            legacy_table_names = False

    class User(Table):
        class Meta:
            table_name = "accounts"

    class AllowedAddress(Table):
        user = pw.ForeignKeyField(User, on_delete="CASCADE")
        address = pw.CharField(max_length=254, index=True)

        class Meta:
            table_name = "allowed_addresses"
            indexes = ((("user", "address"), True),)

    class Signature(Table):
        user = pw.ForeignKeyField(User, on_delete="CASCADE")
        name = pw.CharField(max_length=100)
        text = pw.TextField()

        class Meta:
            table_name = "signatures"

    class WritingIdentity(Table):
        user = pw.ForeignKeyField(User, on_delete="CASCADE")
        name = pw.CharField(max_length=190, default="")
        address = pw.CharField(max_length=254)
        reply_to = pw.TextField(default="")
        cc = pw.TextField(default="")
        bcc = pw.TextField(default="")
        organisation = pw.CharField(max_length=190, default="")
        sent_mailbox = pw.TextField(default="")
        signature = pw.ForeignKeyField(Signature, null=True, on_delete="SET NULL")
        signature_above = pw.BooleanField(default=True)
        is_default = pw.BooleanField(default=False)

        class Meta:
            table_name = "identities"

    class ReadyText(Table):
        user = pw.ForeignKeyField(User, on_delete="CASCADE")
        name = pw.CharField(max_length=100)
        subject = pw.TextField(default="")
        body = pw.TextField(default="")
        shared = pw.BooleanField(default=False, index=True)

        class Meta:
            table_name = "ready_texts"

    return [AllowedAddress, Signature, WritingIdentity, ReadyText]
