"""The first tables, frozen as they were: later changes are later files."""

from datetime import UTC, datetime

import peewee as pw


def now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


def up(migrator, db):
    db.create_tables(tables(db))


def down(migrator, db):
    db.drop_tables(list(reversed(tables(db))))


def tables(db):
    class Table(pw.Model):
        class Meta:
            database = db
            legacy_table_names = False

    class User(Table):
        address = pw.CharField(max_length=254, unique=True)
        local = pw.CharField(max_length=190)
        domain = pw.CharField(max_length=190)
        name = pw.CharField(max_length=190, default="")
        password = pw.CharField(max_length=255, default="")
        quota_bytes = pw.BigIntegerField(default=1024**3)
        active = pw.IntegerField(default=1)
        role = pw.CharField(max_length=20, default="person")
        language = pw.CharField(max_length=5, default="")
        created = pw.DateTimeField(default=now)

        class Meta:
            table_name = "accounts"

    class Session(Table):
        id_hash = pw.CharField(max_length=64, primary_key=True)
        user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="sessions")
        credential = pw.BlobField(null=True)
        data = pw.TextField(default="{}")
        shared = pw.BooleanField(default=False)
        created = pw.DateTimeField(default=now)
        seen = pw.DateTimeField(default=now, index=True)
        user_agent = pw.CharField(max_length=255, default="")
        network = pw.CharField(max_length=64, default="")

    class SignInFailure(Table):
        address = pw.CharField(max_length=254, index=True)
        network = pw.CharField(max_length=64, index=True)
        at = pw.DateTimeField(default=now, index=True)

    class DraftRow(Table):
        id = pw.CharField(max_length=32, primary_key=True)
        user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="drafts")
        to = pw.TextField(default="")
        cc = pw.TextField(default="")
        bcc = pw.TextField(default="")
        subject = pw.TextField(default="")
        body = pw.TextField(default="")
        message_id = pw.CharField(max_length=255)
        in_reply_to = pw.TextField(default="")
        references = pw.TextField(default="")

        source_mailbox = pw.TextField(default="")
        source_uidvalidity = pw.BigIntegerField(default=0)
        source_uid = pw.BigIntegerField(default=0)
        source_flag = pw.CharField(max_length=20, default="")

        saved_mailbox = pw.TextField(default="")
        saved_uidvalidity = pw.BigIntegerField(default=0)
        saved_uid = pw.BigIntegerField(default=0)
        saved_at = pw.DateTimeField(null=True)
        created = pw.DateTimeField(default=now)
        updated = pw.DateTimeField(default=now, index=True)

        class Meta:
            table_name = "drafts"

    class AttachmentRow(Table):
        draft = pw.ForeignKeyField(DraftRow, on_delete="CASCADE", backref="attachments")
        filename = pw.CharField(max_length=255)
        type = pw.CharField(max_length=190)
        size = pw.BigIntegerField()
        stored = pw.CharField(max_length=64)

        class Meta:
            table_name = "draft_attachments"

    class Outbox(Table):
        user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="outbox")
        draft = pw.CharField(max_length=32, unique=True)
        message_id = pw.CharField(max_length=255)
        subject = pw.TextField(default="")
        sender = pw.CharField(max_length=254)
        recipients = pw.TextField()
        refused = pw.TextField(default="{}")
        content = pw.BlobField()
        state = pw.CharField(max_length=12, default="waiting", index=True)
        handed_over = pw.BooleanField(default=False)
        attempts = pw.IntegerField(default=0)
        due = pw.DateTimeField(default=now, index=True)
        lease = pw.DateTimeField(null=True)
        error = pw.TextField(default="")
        credential = pw.BlobField(null=True)
        filed = pw.BooleanField(default=False)
        sent_at = pw.DateTimeField(null=True)
        created = pw.DateTimeField(default=now)
        source_mailbox = pw.TextField(default="")
        source_uidvalidity = pw.BigIntegerField(default=0)
        source_uid = pw.BigIntegerField(default=0)
        source_flag = pw.CharField(max_length=20, default="")
        saved_mailbox = pw.TextField(default="")
        saved_uidvalidity = pw.BigIntegerField(default=0)
        saved_uid = pw.BigIntegerField(default=0)

    return [User, Session, SignInFailure, DraftRow, AttachmentRow, Outbox]
