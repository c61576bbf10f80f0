"""Moves that are made again and again, and how much was marked as junk."""

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

    class MoveHabit(pw.Model):
        user = pw.ForeignKeyField(User, on_delete="CASCADE")
        field = pw.CharField(max_length=10)
        value = pw.CharField(max_length=254)
        mailbox = pw.TextField()
        times = pw.IntegerField(default=1)
        never = pw.BooleanField(default=False)
        last = pw.DateTimeField(default=now)

        class Meta:
            database = db
            table_name = "move_habits"
            indexes = ((("user", "field", "value"), True),)

    class JunkWeek(pw.Model):
        user = pw.ForeignKeyField(User, on_delete="CASCADE")
        monday = pw.DateField()
        junk = pw.IntegerField(default=0)
        ham = pw.IntegerField(default=0)

        class Meta:
            database = db
            table_name = "junk_weeks"
            indexes = ((("user", "monday"), True),)

    return [MoveHabit, JunkWeek]
