"""Sent messages of which somebody is reminded if nobody answers, and drafts that are to be such."""

from datetime import UTC, datetime

import peewee as pw


def up(migrator, db):
    db.create_tables([_awaited_replies(db)])
    migrator.migrate(migrator.add_column("drafts", "answer_by", pw.CharField(max_length=10, null=True, default="")))


def down(migrator, db):
    migrator.migrate(migrator.drop_column("drafts", "answer_by"))
    db.drop_tables([_awaited_replies(db)])


def _now():
    return datetime.now(UTC).replace(tzinfo=None)


def _awaited_replies(db):
    class Base(pw.Model):
        class Meta:
            database = db

    class User(Base):
        class Meta:
            table_name = "accounts"

    class AwaitedReply(Base):
        user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+", index=False)
        message_id = pw.CharField(max_length=255)
        subject = pw.CharField(max_length=255, default="")
        recipients = pw.CharField(max_length=255, default="")
        created = pw.DateTimeField(default=_now)
        sent = pw.DateTimeField(null=True)
        due = pw.DateTimeField(index=True)
        told = pw.DateTimeField(null=True)
        ended = pw.DateTimeField(null=True, index=True)
        mailbox = pw.CharField(max_length=500, default="")
        uidvalidity = pw.BigIntegerField(default=0)
        uid = pw.BigIntegerField(default=0)
        marked = pw.IntegerField(default=0)
        answered = pw.DateTimeField(null=True)
        answerer = pw.CharField(max_length=255, default="")
        answer_mailbox = pw.CharField(max_length=500, default="")
        answer_uidvalidity = pw.BigIntegerField(default=0)
        answer_uid = pw.BigIntegerField(default=0)
        automatic = pw.CharField(max_length=255, default="")
        automatic_subject = pw.CharField(max_length=255, default="")
        automatic_at = pw.DateTimeField(null=True)
        bounced = pw.CharField(max_length=255, default="")
        bounced_at = pw.DateTimeField(null=True)

        class Meta:
            table_name = "awaited_replies"
            indexes = ((("user", "message_id"), True),)

    return AwaitedReply
