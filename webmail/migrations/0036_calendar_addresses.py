"""Calendars that come from an address elsewhere, and addresses of calendars."""

import peewee as pw


def up(migrator, db):
    db.create_tables(_tables(db)[2:])


def down(migrator, db):
    db.drop_tables(list(reversed(_tables(db)[2:])))


def _tables(db):
    class User(pw.Model):
        class Meta:
            database = db
            table_name = "accounts"

    class Collection(pw.Model):
        class Meta:
            database = db
            table_name = "collections"

    class CalendarSubscription(pw.Model):
        user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+")
        collection = pw.ForeignKeyField(Collection, on_delete="CASCADE", backref="+", unique=True)
        secret = pw.BlobField()
        host = pw.CharField(max_length=253)
        etag = pw.CharField(max_length=500, default="")
        modified = pw.CharField(max_length=100, default="")
        digest = pw.CharField(max_length=64, default="")
        busy = pw.IntegerField(default=0)
        due = pw.DateTimeField(index=True)
        working = pw.IntegerField(default=0)
        failures = pw.IntegerField(default=0)
        tried = pw.DateTimeField(null=True)
        succeeded = pw.DateTimeField(null=True)
        error = pw.CharField(max_length=20, default="")
        left = pw.IntegerField(default=0)
        notes = pw.TextField(default="[]")
        created = pw.DateTimeField()

        class Meta:
            database = db
            table_name = "calendar_subscriptions"

    class CalendarLink(pw.Model):
        user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+")
        collection = pw.ForeignKeyField(Collection, on_delete="CASCADE", backref="+")
        token_hash = pw.CharField(max_length=64, unique=True)
        kind = pw.CharField(max_length=4)
        whole = pw.IntegerField(default=0)
        used = pw.DateTimeField(null=True)
        hour = pw.IntegerField(default=0)
        asked = pw.IntegerField(default=0)
        created = pw.DateTimeField()

        class Meta:
            database = db
            table_name = "calendar_links"

    return [User, Collection, CalendarSubscription, CalendarLink]
