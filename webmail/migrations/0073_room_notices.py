"""Who is to be told by mail of bookings that wait for approval, and of what was decided."""

from datetime import UTC, datetime

import peewee as pw


def up(migrator, db):
    db.create_tables([_room_notices(db)])
    db.execute_sql("CREATE INDEX resourcebooking_pending_start ON resource_bookings (pending, start)")


def down(migrator, db):
    db.execute_sql("DROP INDEX resourcebooking_pending_start")
    db.drop_tables([_room_notices(db)])


def _now():
    return datetime.now(UTC).replace(tzinfo=None)


def _room_notices(db):
    class Base(pw.Model):
        class Meta:
            database = db

    class User(Base):
        class Meta:
            table_name = "accounts"

    class ResourceUse(Base):
        class Meta:
            table_name = "resource_uses"

    class RoomNotice(Base):
        use = pw.ForeignKeyField(ResourceUse, on_delete="CASCADE", backref="+", index=False)
        kind = pw.CharField(max_length=10)
        by = pw.ForeignKeyField(User, null=True, on_delete="SET NULL", backref="+")
        note = pw.TextField(default="")
        times = pw.TextField(default="")
        at = pw.DateTimeField(default=_now)

        class Meta:
            table_name = "room_notices"
            indexes = ((("use", "kind"), True),)

    return RoomNotice
