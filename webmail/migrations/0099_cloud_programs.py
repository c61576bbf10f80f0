"""Programs that keep passwords on servers of their maker: who uses them, and from where nobody signs in."""

from datetime import UTC, datetime

import peewee as pw


def up(migrator, db):
    db.create_tables(_tables(db))


def down(migrator, db):
    db.drop_tables(_tables(db))


def _now():
    return datetime.now(UTC).replace(tzinfo=None)


def _tables(db):
    class Base(pw.Model):
        class Meta:
            database = db

    class User(Base):
        class Meta:
            table_name = "accounts"

    class RefusedNetwork(Base):
        beginning = pw.CharField(max_length=50, primary_key=True)
        program = pw.CharField(max_length=60)

        class Meta:
            table_name = "refused_networks"

    class CloudProgramUse(Base):
        user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+", index=False)
        program = pw.CharField(max_length=60)
        network = pw.CharField(max_length=64, default="")
        first = pw.DateTimeField(default=_now)
        used = pw.DateTimeField(null=True)
        refused = pw.DateTimeField(null=True)
        told = pw.DateTimeField(null=True)

        class Meta:
            table_name = "cloud_program_uses"
            indexes = ((("user", "program"), True),)

    return [RefusedNetwork, CloudProgramUse]
