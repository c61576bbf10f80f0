"""Who wrote to people, for suggestions; when that was learned from their mail; suggestions that they had forgotten."""

from datetime import UTC, datetime

import peewee as pw


def now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


def up(migrator, db):
    db.create_tables(tables(db))
    migrator.migrate(migrator.add_column("correspondents", "hidden", pw.DateTimeField(null=True)))


def down(migrator, db):
    migrator.migrate(migrator.drop_column("correspondents", "hidden"))
    db.drop_tables(list(reversed(tables(db))))


def tables(db):
    class Table(pw.Model):
        class Meta:
            database = db
            legacy_table_names = False

    class User(Table):
        class Meta:
            table_name = "accounts"

    class Acquaintance(Table):
        user = pw.ForeignKeyField(User, on_delete="CASCADE")
        address = pw.CharField(max_length=254)
        name = pw.CharField(max_length=190, default="")
        count = pw.IntegerField(default=1)
        last = pw.DateTimeField(default=now)
        hidden = pw.DateTimeField(null=True)

        class Meta:
            table_name = "acquaintances"
            indexes = ((("user", "address"), True), (("user", "last"), False))

    class PeopleLearned(Table):
        user = pw.ForeignKeyField(User, on_delete="CASCADE", unique=True)
        at = pw.DateTimeField(default=now)
        messages = pw.IntegerField(default=0)

        class Meta:
            table_name = "people_learned"

    return [Acquaintance, PeopleLearned]
