"""Files of people: columns that are saved by name, and passwords that wait to be printed."""

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

    class SavedImport(Table):
        user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+", index=False)
        name = pw.CharField(max_length=60)
        choices = pw.TextField()
        created = pw.DateTimeField(default=now)

        class Meta:
            table_name = "saved_imports"
            indexes = ((("user", "name"), True),)

    class PasswordSheet(Table):
        id = pw.CharField(max_length=32, primary_key=True)
        user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+")
        name = pw.CharField(max_length=100)
        created = pw.DateTimeField(default=now)
        until = pw.DateTimeField(index=True)
        opened = pw.DateTimeField(null=True)
        printed = pw.DateTimeField(null=True)

        class Meta:
            table_name = "password_sheets"

    class PaperPassword(Table):
        sheet = pw.ForeignKeyField(PasswordSheet, on_delete="CASCADE", backref="+")
        user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+")
        sealed = pw.BlobField(null=True)

        class Meta:
            table_name = "paper_passwords"

    return [SavedImport, PasswordSheet, PaperPassword]
