"""Copies of reported messages in others' mailboxes, when reporters were thanked, and senders whose mail is refused."""

from datetime import UTC, datetime

import peewee as pw


def now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


def up(migrator, db):
    migrator.migrate(migrator.add_column("phishing_reports", "thanked", pw.DateTimeField(null=True)))
    db.create_tables(_tables(db))


def down(migrator, db):
    db.drop_tables(_tables(db))
    migrator.migrate(migrator.drop_column("phishing_reports", "thanked"))


def _tables(db):
    class Base(pw.Model):
        class Meta:
            database = db

    class User(Base):
        class Meta:
            table_name = "accounts"

    class PhishingReport(Base):
        class Meta:
            table_name = "phishing_reports"

    class Establishment(Base):
        class Meta:
            table_name = "establishments"

    class PhishingFind(Base):
        report = pw.ForeignKeyField(PhishingReport, on_delete="CASCADE", backref="+", index=False)
        user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+")
        mailbox = pw.CharField(max_length=500)
        uidvalidity = pw.BigIntegerField()
        uid = pw.BigIntegerField()
        same = pw.IntegerField(default=0)
        message_id = pw.TextField(default="")
        sender = pw.CharField(max_length=254, default="")
        subject = pw.TextField(default="")
        received = pw.DateTimeField()
        flags = pw.CharField(max_length=60, default="")
        state = pw.CharField(max_length=10, default="found")
        junk = pw.CharField(max_length=500, default="")
        junk_uidvalidity = pw.BigIntegerField(default=0)
        junk_uid = pw.BigIntegerField(default=0)
        told = pw.IntegerField(default=1)

        class Meta:
            table_name = "phishing_finds"
            indexes = (
                (("report", "user", "mailbox", "uidvalidity", "uid"), True),
                (("report", "state"), False),
                (("told", "user"), False),
            )

    class RefusedSender(Base):
        entry = pw.CharField(max_length=254, index=True)
        establishment = pw.ForeignKeyField(Establishment, null=True, on_delete="CASCADE", backref="+")
        by = pw.CharField(max_length=254, default="")
        created = pw.DateTimeField(default=now)

        class Meta:
            table_name = "refused_senders"

    return [PhishingFind, RefusedSender]
