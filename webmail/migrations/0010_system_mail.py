"""Mail that the establishment itself sends."""

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

    class SystemMessage(Table):
        recipient = pw.CharField(max_length=254)
        language = pw.CharField(max_length=20)
        kind = pw.CharField(max_length=40)
        subject = pw.TextField()
        body = pw.TextField()
        dedup = pw.CharField(max_length=64, unique=True)
        state = pw.CharField(max_length=12, default="waiting")
        handed_over = pw.BooleanField(default=False)
        attempts = pw.IntegerField(default=0)
        due = pw.DateTimeField(default=now)
        lease = pw.DateTimeField(null=True)
        error = pw.TextField(default="")
        created = pw.DateTimeField(default=now)
        sent_at = pw.DateTimeField(null=True)

        class Meta:
            table_name = "system_messages"
            indexes = ((("recipient", "created"), False), (("state", "due"), False))

    return [SystemMessage]
