"""Searches that somebody typed lately, offered as they type again."""

import peewee as pw


def up(migrator, db):
    db.create_tables([_recent_searches(db)])


def down(migrator, db):
    db.drop_tables([_recent_searches(db)])


def _recent_searches(db):
    class Base(pw.Model):
        class Meta:
            database = db

    class User(Base):
        class Meta:
            table_name = "accounts"

    class RecentSearch(Base):
        user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+")
        query = pw.TextField()

        class Meta:
            table_name = "recent_searches"

    return RecentSearch
