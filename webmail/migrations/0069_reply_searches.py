"""How far inboxes were searched for replies to invitations."""

from datetime import UTC, datetime

import peewee as pw


def up(migrator, db):
    db.create_tables([_reply_searches(db)])


def down(migrator, db):
    db.drop_tables([_reply_searches(db)])


def _now():
    return datetime.now(UTC).replace(tzinfo=None)


def _reply_searches(db):
    class Base(pw.Model):
        class Meta:
            database = db

    class User(Base):
        class Meta:
            table_name = "accounts"

    class ReplySearch(Base):
        user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+", primary_key=True)
        uidvalidity = pw.BigIntegerField()
        uidnext = pw.BigIntegerField()
        at = pw.DateTimeField(default=_now)

        class Meta:
            table_name = "reply_searches"

    return ReplySearch
