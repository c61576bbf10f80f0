"""Preferences, saved searches, tags, and what is put off until later."""

from datetime import UTC, datetime

import peewee as pw


def now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


def up(migrator, db):
    # nullable: on SQLite anything else would make the table anew, and dropping the old one would sign everybody out
    migrator.migrate(migrator.add_column("accounts", "preferences", pw.TextField(null=True)))
    db.create_tables(tables(db))


def down(migrator, db):
    db.drop_tables(list(reversed(tables(db))))
    migrator.migrate(migrator.drop_column("accounts", "preferences"))


def tables(db):
    class Table(pw.Model):
        class Meta:
            database = db
            legacy_table_names = False

    class User(Table):
        class Meta:
            table_name = "accounts"

    class SavedSearch(Table):
        user = pw.ForeignKeyField(User, on_delete="CASCADE")
        name = pw.CharField(max_length=100)
        query = pw.TextField()
        mailbox = pw.TextField(default="INBOX")
        scope = pw.CharField(max_length=10, default="")
        created = pw.DateTimeField(default=now)

        class Meta:
            table_name = "saved_searches"
            indexes = ((("user", "name"), True),)

    class Tag(Table):
        user = pw.ForeignKeyField(User, on_delete="CASCADE")
        keyword = pw.CharField(max_length=60)
        name = pw.CharField(max_length=60)
        colour = pw.CharField(max_length=20, default="")

        class Meta:
            table_name = "tags"
            indexes = ((("user", "keyword"), True),)

    class Snoozed(Table):
        user = pw.ForeignKeyField(User, on_delete="CASCADE")
        mailbox = pw.TextField(default="INBOX")
        folder = pw.TextField()
        uidvalidity = pw.BigIntegerField(default=0)
        uid = pw.BigIntegerField(default=0)
        message_id = pw.TextField(default="")
        subject = pw.TextField(default="")
        sender = pw.TextField(default="")
        due = pw.DateTimeField(index=True)
        lease = pw.DateTimeField(null=True)
        target = pw.TextField(default="")
        target_uidvalidity = pw.BigIntegerField(default=0)
        target_uidnext = pw.BigIntegerField(default=0)
        created = pw.DateTimeField(default=now)

        class Meta:
            table_name = "snoozed"
            indexes = ((("user", "uidvalidity", "uid"), False),)

    class Undo(Table):
        id = pw.CharField(max_length=32, primary_key=True)
        user = pw.ForeignKeyField(User, on_delete="CASCADE")
        steps = pw.TextField()
        created = pw.DateTimeField(default=now, index=True)

    return [SavedSearch, Tag, Snoozed, Undo]
