"""Blocked senders: a copy of the list in each person's script, so that nobody of it is suggested as a recipient."""

import peewee as pw


def up(migrator, db):
    db.create_tables(_tables(db))


def down(migrator, db):
    db.drop_tables(_tables(db))


def _tables(db):
    class Base(pw.Model):
        class Meta:
            database = db

    class User(Base):
        class Meta:
            table_name = "accounts"

    class BlockedSenders(Base):
        user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+", unique=True)
        blocked = pw.TextField(default="")
        spared = pw.TextField(default="")

        class Meta:
            table_name = "blocked_senders"

    return [BlockedSenders]
