"""Transfers that a FileSender sends: how far they have come, and which of its guests were removed."""

from datetime import UTC, datetime

import peewee as pw


def up(migrator, db):
    db.create_tables(_tables(db))


def down(migrator, db):
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

    class Transfer(Base):
        class Meta:
            table_name = "transfers"

    class FilesenderDelivery(Base):
        transfer = pw.ForeignKeyField(Transfer, on_delete="CASCADE", backref="+", unique=True)
        state = pw.CharField(max_length=10, default="waiting", index=True)
        remote = pw.BigIntegerField(null=True)
        people = pw.TextField(default="[]")
        names = pw.TextField(default="{}")
        typed = pw.TextField(default="{}")
        secret = pw.BlobField(null=True)
        problem = pw.CharField(max_length=30, default="")
        task = pw.CharField(max_length=32, default="")
        changed = pw.DateTimeField(default=_now)

        class Meta:
            table_name = "filesender_deliveries"

    class FilesenderRemovedGuest(Base):
        user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+", index=False)
        guest = pw.BigIntegerField()

        class Meta:
            table_name = "filesender_removed_guests"
            indexes = ((("user", "guest"), True),)

    return [FilesenderDelivery, FilesenderRemovedGuest]
