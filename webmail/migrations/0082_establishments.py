"""Several establishments on one installation: their domains, and who administers one of them alone."""

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

    class Establishment(Table):
        name = pw.CharField(max_length=190, unique=True)
        directory = pw.CharField(max_length=10, default="all")
        created = pw.DateTimeField(default=now)

        class Meta:
            table_name = "establishments"

    class EstablishmentDomain(Table):
        domain = pw.CharField(max_length=190, unique=True)
        establishment = pw.ForeignKeyField(Establishment, on_delete="CASCADE", backref="+")

        class Meta:
            table_name = "establishment_domains"

    class EstablishmentAdministrator(Table):
        user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+", index=False)
        establishment = pw.ForeignKeyField(Establishment, on_delete="CASCADE", backref="+")

        class Meta:
            table_name = "establishment_administrators"
            indexes = ((("user", "establishment"), True),)

    return [Establishment, EstablishmentDomain, EstablishmentAdministrator]
