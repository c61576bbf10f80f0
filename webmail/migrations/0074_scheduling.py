"""What devices are told of meetings, and since when an event was changed by its guests' answers alone."""

import peewee as pw


def up(migrator, db):
    migrator.migrate(migrator.add_column("calendar_objects", "schedule_tag", pw.CharField(max_length=130, null=True)))
    db.create_tables([_scheduling_messages(db)])


def down(migrator, db):
    db.drop_tables([_scheduling_messages(db)])
    migrator.migrate(migrator.drop_column("calendar_objects", "schedule_tag"))


def _scheduling_messages(db):
    class Base(pw.Model):
        class Meta:
            database = db

    class User(Base):
        class Meta:
            table_name = "accounts"

    class SchedulingMessage(Base):
        user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+", index=False)
        digest = pw.CharField(max_length=64)
        uid = pw.CharField(max_length=255)
        method = pw.CharField(max_length=12)
        text = pw.TextField()
        outbox = pw.BigIntegerField(default=0)
        at = pw.DateTimeField(index=True)

        class Meta:
            table_name = "scheduling_messages"
            indexes = ((("user", "digest"), True), (("outbox",), False))

    return SchedulingMessage
