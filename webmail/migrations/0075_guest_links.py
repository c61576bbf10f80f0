"""Links by which guests without an account answer, and what people say of meetings that their events do not hold."""

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

    class GuestLink(Base):
        user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+", index=False)
        uid = pw.CharField(max_length=255)
        recipient = pw.CharField(max_length=254)
        nonce = pw.CharField(max_length=32)
        link_hash = pw.CharField(max_length=64, unique=True)
        text = pw.TextField()
        ends = pw.BigIntegerField(index=True)
        at = pw.DateTimeField(default=_now)

        class Meta:
            table_name = "guest_links"
            indexes = ((("user", "uid", "recipient"), True),)

    class GuestReply(Base):
        user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+", index=False)
        uid = pw.CharField(max_length=255)
        kind = pw.CharField(max_length=12)
        sender = pw.CharField(max_length=254)
        name = pw.CharField(max_length=200, default="")
        answer = pw.CharField(max_length=20, default="")
        comment = pw.TextField(default="")
        text = pw.TextField(default="")
        decided = pw.IntegerField(default=0)
        at = pw.DateTimeField(default=_now, index=True)

        class Meta:
            table_name = "guest_replies"
            indexes = ((("user", "uid", "kind", "sender"), True),)

    return [GuestLink, GuestReply]
