"""Busy times that people outside publish."""

import peewee as pw


def up(migrator, db):
    db.create_tables([_published_times(db)])


def down(migrator, db):
    db.drop_tables([_published_times(db)])


def _published_times(db):
    class Base(pw.Model):
        class Meta:
            database = db

    class User(Base):
        class Meta:
            table_name = "accounts"

    class PublishedTimes(Base):
        user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+", index=False)
        digest = pw.CharField(max_length=64)
        url = pw.TextField()
        wanted = pw.BigIntegerField(default=0, index=True)
        tried = pw.BigIntegerField(default=0)
        fetched = pw.BigIntegerField(default=0)
        error = pw.CharField(max_length=20, default="")
        first = pw.BigIntegerField(default=0)
        last = pw.BigIntegerField(default=0)
        spans = pw.TextField(default="[]")

        class Meta:
            table_name = "published_times"
            indexes = ((("user", "digest"), True),)

    return PublishedTimes
