"""Notices that were dismissed can be read again: their words, for a month."""

import peewee as pw


def up(migrator, db):
    db.create_tables([_told_notices(db)])


def down(migrator, db):
    db.drop_tables([_told_notices(db)])


def _told_notices(db):
    class Base(pw.Model):
        class Meta:
            database = db

    class User(Base):
        class Meta:
            table_name = "accounts"

    class ToldNotice(Base):
        user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+")
        words = pw.TextField()
        at = pw.DateTimeField()

        class Meta:
            table_name = "told_notices"

    return ToldNotice
