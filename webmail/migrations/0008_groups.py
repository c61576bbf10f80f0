"""Groups of people of an establishment, and who is in them. Dovecot reads both."""

from datetime import UTC, datetime

import peewee as pw


def now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


def up(migrator, db):
    db.create_tables(tables(db))


def down(migrator, db):
    db.drop_tables(list(reversed(tables(db))))


def tables(db):
    class Table(pw.Model):
        class Meta:
            database = db
            legacy_table_names = False

    class User(Table):
        class Meta:
            table_name = "accounts"

    class PeopleGroup(Table):
        identifier = pw.CharField(max_length=254, unique=True)
        name = pw.CharField(max_length=100)
        sort = pw.CharField(max_length=190)
        domain = pw.CharField(max_length=190)
        created = pw.DateTimeField(default=now)

        class Meta:
            table_name = "people_groups"
            indexes = ((("domain", "sort"), True),)

    class GroupMember(Table):
        group = pw.ForeignKeyField(PeopleGroup, on_delete="CASCADE", index=False)
        user = pw.ForeignKeyField(User, on_delete="CASCADE")

        class Meta:
            table_name = "group_members"
            indexes = ((("group", "user"), True),)

    return [PeopleGroup, GroupMember]
