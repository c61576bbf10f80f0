"""Requests to the administrator for more room for mail."""

from datetime import UTC, datetime

import peewee as pw


def now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


def up(migrator, db):
    db.create_tables(tables(db))


def down(migrator, db):
    db.drop_tables(tables(db))


def tables(db):
    class User(pw.Model):
        class Meta:
            database = db
            table_name = "accounts"

    class RoomRequest(pw.Model):
        user = pw.ForeignKeyField(User, on_delete="CASCADE")
        note = pw.TextField(default="")
        used = pw.BigIntegerField()
        room = pw.BigIntegerField()
        asked = pw.DateTimeField(default=now, index=True)
        closed = pw.DateTimeField(null=True)
        given = pw.BigIntegerField(null=True)

        class Meta:
            database = db
            table_name = "room_requests"

    return [RoomRequest]
