"""Settings that administrators change in pages, with what they were before, and the logos of establishments."""

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

    class Establishment(Base):
        class Meta:
            table_name = "establishments"

    class EstablishmentSetting(Base):
        establishment = pw.ForeignKeyField(Establishment, null=True, on_delete="CASCADE", index=False, backref="+")
        name = pw.CharField(max_length=60)
        value = pw.TextField(null=True)
        at = pw.DateTimeField(default=_now)
        by = pw.CharField(max_length=254)

        class Meta:
            table_name = "establishment_settings"
            indexes = ((("establishment", "name", "id"), False),)

    class EstablishmentImage(Base):
        digest = pw.CharField(max_length=32, primary_key=True)
        kind = pw.CharField(max_length=20)
        content = pw.BlobField()
        created = pw.DateTimeField(default=_now)

        class Meta:
            table_name = "establishment_images"

    return [EstablishmentSetting, EstablishmentImage]
