"""Addresses that a person chose never to encrypt messages for."""

from datetime import UTC, datetime

import peewee as pw


def _now():
    return datetime.now(UTC).replace(tzinfo=None)


def _tables(db):
    class Base(pw.Model):
        class Meta:
            database = db

    class User(Base):
        class Meta:
            table_name = "accounts"

    class PlainRecipient(Base):
        user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+", index=False)
        address = pw.CharField(max_length=254)
        added = pw.DateTimeField(default=_now)

        class Meta:
            table_name = "plain_recipients"
            indexes = ((("user", "address"), True),)

    return [PlainRecipient]


def up(migrator, db):
    db.create_tables(_tables(db))


def down(migrator, db):
    db.drop_tables(_tables(db))
