"""Mailboxes that somebody else looks after, and how far they were copied."""

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

    class MailboxHandover(Base):
        owner = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+", index=False)
        person = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+")
        kind = pw.CharField(max_length=12)
        answers = pw.IntegerField(default=0)
        since = pw.DateTimeField(null=True)
        start = pw.DateTimeField(default=_now)
        until = pw.DateTimeField(null=True)
        reason = pw.CharField(max_length=500, default="")
        state = pw.CharField(max_length=8, default="asked")
        asked_by = pw.CharField(max_length=254)
        asked_at = pw.DateTimeField(default=_now)
        agreed_by = pw.CharField(max_length=254, default="")
        agreed_at = pw.DateTimeField(null=True)
        begun = pw.DateTimeField(null=True)
        ended = pw.DateTimeField(null=True)
        ended_by = pw.CharField(max_length=254, default="")
        allowed = pw.IntegerField(default=0)
        copied = pw.IntegerField(default=0)
        problem = pw.CharField(max_length=20, default="")

        class Meta:
            table_name = "mailbox_handovers"
            indexes = ((("owner", "state"), False), (("state", "start"), False))

    class HandedOverFolder(Base):
        handover = pw.ForeignKeyField(MailboxHandover, on_delete="CASCADE", backref="+", index=False)
        mailbox = pw.CharField(max_length=500)
        uidvalidity = pw.BigIntegerField(default=0)
        uid = pw.BigIntegerField(default=0)
        upto = pw.BigIntegerField(default=0)
        rights = pw.CharField(max_length=40, default="")
        before = pw.BigIntegerField(default=0)

        class Meta:
            table_name = "handed_over_folders"
            indexes = ((("handover", "mailbox"), True),)

    return [MailboxHandover, HandedOverFolder]
