"""People's accounts at Google and Microsoft, on a Nextcloud or a FileSender."""

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

    class ConnectedService(Base):
        user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+", index=False)
        provider = pw.CharField(max_length=20)
        title = pw.CharField(max_length=100)
        address = pw.CharField(max_length=1000, default="")
        login = pw.CharField(max_length=254, default="")
        scopes = pw.TextField(default="")
        secret = pw.BlobField()
        expires = pw.DateTimeField(null=True)
        state = pw.CharField(max_length=10, default="works")
        problem = pw.CharField(max_length=30, default="")
        version = pw.IntegerField(default=0)
        renewing = pw.DateTimeField(null=True)
        made = pw.DateTimeField(default=_now)
        used = pw.DateTimeField(null=True)

        class Meta:
            table_name = "connected_services"
            indexes = ((("user", "title"), True),)

    return [ConnectedService]
