"""The audit log: who did what to whom, when and from where."""

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

    class AuditEntry(Table):
        at = pw.DateTimeField(default=now, index=True)
        actor = pw.ForeignKeyField(User, null=True, on_delete="SET NULL")
        actor_address = pw.CharField(max_length=254, default="")
        act = pw.CharField(max_length=40)
        target = pw.CharField(max_length=254, default="")
        network = pw.CharField(max_length=64, default="")
        details = pw.TextField(default="{}")
        times = pw.IntegerField(default=1)
        fold = pw.CharField(max_length=64, null=True, unique=True)

        class Meta:
            table_name = "audit"
            indexes = ((("actor_address", "at"), False), (("target", "at"), False), (("act", "at"), False))

    return [AuditEntry]
