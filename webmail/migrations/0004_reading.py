"""Whom people have written to, what they reported as phishing, whose remote images they see."""

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
        class Meta:
            table_name = "accounts"

    class Correspondent(Table):
        user = pw.ForeignKeyField(User, on_delete="CASCADE")
        address = pw.CharField(max_length=254)
        name = pw.CharField(max_length=190, default="")
        count = pw.IntegerField(default=1)
        last = pw.DateTimeField(default=now)

        class Meta:
            table_name = "correspondents"
            indexes = ((("user", "address"), True), (("user", "last"), False))

    class PhishingReport(Table):
        user = pw.ForeignKeyField(User, on_delete="CASCADE")
        sender = pw.CharField(max_length=254, default="")
        subject = pw.TextField(default="")
        message_id = pw.TextField(default="")
        outbox = pw.BigIntegerField(default=0)
        created = pw.DateTimeField(default=now, index=True)

        class Meta:
            table_name = "phishing_reports"

    class ImageSender(Table):
        user = pw.ForeignKeyField(User, on_delete="CASCADE")
        address = pw.CharField(max_length=254)
        created = pw.DateTimeField(default=now)

        class Meta:
            table_name = "image_senders"
            indexes = ((("user", "address"), True),)

    return [Correspondent, PhishingReport, ImageSender]
