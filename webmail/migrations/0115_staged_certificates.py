"""Key files (PKCS#12) that the establishment's authority made for people, until they take them."""

from datetime import UTC, datetime

import peewee as pw


def up(migrator, db):
    db.create_tables([_table(db)])


def down(migrator, db):
    db.drop_tables([_table(db)])


def _now():
    return datetime.now(UTC).replace(tzinfo=None)


def _table(db):
    class Base(pw.Model):
        class Meta:
            database = db

    class User(Base):
        class Meta:
            table_name = "accounts"

    class StagedCertificate(Base):
        user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+")
        digest = pw.CharField(max_length=64)
        name = pw.CharField(max_length=190, default="")
        sealed = pw.BlobField()
        expires = pw.DateTimeField(null=True)
        added = pw.DateTimeField(default=_now)
        told = pw.DateTimeField(null=True, index=True)

        class Meta:
            table_name = "staged_certificates"
            indexes = ((("user", "digest"), True),)

    return StagedCertificate
