"""Contacts that look alike and are not the same person."""

import peewee as pw


def up(migrator, db):
    db.create_tables(_tables(db))


def down(migrator, db):
    db.drop_tables(_tables(db))


def _tables(db):
    class User(pw.Model):
        class Meta:
            database = db
            table_name = "accounts"

    class DifferentContacts(pw.Model):
        user = pw.ForeignKeyField(User, on_delete="CASCADE", index=False)
        one = pw.CharField(max_length=32)
        other = pw.CharField(max_length=32)

        class Meta:
            database = db
            table_name = "different_contacts"
            indexes = ((("user", "one", "other"), True),)

    return [DifferentContacts]
