"""What guests of meetings were told, so that nothing is sent twice."""

from datetime import UTC, datetime

import peewee as pw


def up(migrator, db):
    db.create_tables([_sent_invitations(db)])


def down(migrator, db):
    db.drop_tables([_sent_invitations(db)])


def _now():
    return datetime.now(UTC).replace(tzinfo=None)


def _sent_invitations(db):
    class Base(pw.Model):
        class Meta:
            database = db

    class User(Base):
        class Meta:
            table_name = "accounts"

    class SentInvitation(Base):
        user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+", index=False)
        digest = pw.CharField(max_length=64)
        uid = pw.CharField(max_length=255)
        method = pw.CharField(max_length=12)
        recipient = pw.CharField(max_length=254)
        batch = pw.CharField(max_length=32)
        outbox = pw.BigIntegerField(default=0)
        at = pw.DateTimeField(default=_now, index=True)

        class Meta:
            table_name = "sent_invitations"
            indexes = ((("user", "digest"), True), (("user", "uid"), False), (("user", "batch"), False))

    return SentInvitation
