"""Reminders by their people, so that a page knows whether one is coming; forms of events that wait while a file is sent."""

import peewee as pw


def up(migrator, db):
    migrator.migrate(migrator.add_column("next_reminders", "owner", pw.IntegerField(null=True)))
    db.execute_sql("CREATE INDEX next_reminders_owner_due ON next_reminders (owner, due)")
    theirs = (
        "SELECT c.user_id FROM calendar_objects o JOIN collections c ON c.id = o.collection_id"
        " WHERE o.id = next_reminders.object_id"
    )
    db.execute_sql(f"UPDATE next_reminders SET owner = ({theirs})")  # noqa: S608
    db.create_tables(_tables(db))


def down(migrator, db):
    db.drop_tables(_tables(db))
    db.execute_sql("DROP INDEX next_reminders_owner_due")
    migrator.migrate(migrator.drop_column("next_reminders", "owner"))


def _tables(db):
    class User(pw.Model):
        class Meta:
            database = db
            table_name = "accounts"

    class KeptEventForm(pw.Model):
        id = pw.CharField(max_length=32, primary_key=True)
        user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+")
        path = pw.CharField(max_length=600)
        fields = pw.TextField()
        at = pw.DateTimeField(index=True)

        class Meta:
            database = db
            table_name = "kept_event_forms"

    return [KeptEventForm]
