"""Polls for a date."""

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

    class Poll(Base):
        owner = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+")
        nonce = pw.CharField(max_length=32)
        link_hash = pw.CharField(max_length=64, unique=True)
        title = pw.CharField(max_length=200)
        location = pw.CharField(max_length=300, default="")
        note = pw.TextField(default="")
        zone = pw.CharField(max_length=64)
        closes = pw.DateTimeField(null=True)
        hidden = pw.IntegerField(default=0)
        comments = pw.IntegerField(default=1)
        ends = pw.DateTimeField(index=True)
        chosen_id = pw.BigIntegerField(null=True)
        event_uid = pw.CharField(max_length=64, default="")
        created = pw.DateTimeField(default=_now)
        closed = pw.DateTimeField(null=True)
        removed = pw.DateTimeField(null=True, index=True)
        forgotten = pw.IntegerField(default=0)

        class Meta:
            table_name = "polls"

    class PollOption(Base):
        poll = pw.ForeignKeyField(Poll, on_delete="CASCADE", backref="+", index=False)
        start = pw.DateTimeField()
        minutes = pw.IntegerField()
        removed = pw.DateTimeField(null=True)

        class Meta:
            table_name = "poll_options"
            indexes = ((("poll", "start", "minutes"), True),)

    class PollVoter(Base):
        poll = pw.ForeignKeyField(Poll, on_delete="CASCADE", backref="+", index=False)
        user = pw.ForeignKeyField(User, on_delete="CASCADE", null=True, backref="+")
        name = pw.CharField(max_length=120, default="")
        address = pw.CharField(max_length=254, default="")
        nonce = pw.CharField(max_length=32)
        link_hash = pw.CharField(max_length=64, unique=True)
        language = pw.CharField(max_length=5, default="")
        answers = pw.TextField(default="{}")
        comment = pw.TextField(default="")
        created = pw.DateTimeField(default=_now)
        changed = pw.DateTimeField(default=_now)
        removed = pw.DateTimeField(null=True)

        class Meta:
            table_name = "poll_voters"
            indexes = ((("poll", "user"), True),)

    return [Poll, PollOption, PollVoter]
