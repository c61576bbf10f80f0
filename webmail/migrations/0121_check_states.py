"""Since when each check is not well, and what was told of it; what the doctor found in every language."""

from datetime import UTC, datetime

import peewee as pw


def up(migrator, db):
    db.create_tables([_table(db)])
    migrator.migrate(migrator.add_column("check_notes", "texts", pw.TextField(null=True)))


def down(migrator, db):
    migrator.migrate(migrator.drop_column("check_notes", "texts"))
    db.drop_tables([_table(db)])


def _now():
    return datetime.now(UTC).replace(tzinfo=None)


def _table(db):
    class CheckState(pw.Model):
        name = pw.CharField(max_length=60, primary_key=True)
        state = pw.CharField(max_length=10)
        since = pw.DateTimeField(default=_now)
        told = pw.CharField(max_length=10, default="ok")
        missed = pw.IntegerField(default=0)

        class Meta:
            table_name = "check_states"
            database = db

    return CheckState
