"""Books and calendars that belong to groups."""

from datetime import UTC, datetime

import peewee as pw


def up(migrator, db):
    db.create_tables([_group_collections(db)])


def down(migrator, db):
    db.drop_tables([_group_collections(db)])


def _now():
    return datetime.now(UTC).replace(tzinfo=None)


def _group_collections(db):
    class Base(pw.Model):
        class Meta:
            database = db

    class Collection(Base):
        class Meta:
            table_name = "collections"

    class PeopleGroup(Base):
        class Meta:
            table_name = "people_groups"

    class GroupCollection(Base):
        collection = pw.ForeignKeyField(Collection, on_delete="CASCADE", backref="+", unique=True)
        group = pw.ForeignKeyField(PeopleGroup, on_delete="CASCADE", backref="+")
        writers = pw.CharField(max_length=8, default="members")
        created = pw.DateTimeField(default=_now)

        class Meta:
            table_name = "group_collections"

    return GroupCollection
