"""Rooms and things that people book with an event: who may, when they are booked, and that nobody else has one then."""

import peewee as pw


def up(migrator, db):
    db.create_tables(_tables(db))


def down(migrator, db):
    db.drop_tables(_tables(db)[::-1])


def _tables(db):
    class Base(pw.Model):
        class Meta:
            database = db
            legacy_table_names = False

    class User(Base):
        class Meta:
            table_name = "accounts"

    class CalendarObject(Base):
        class Meta:
            table_name = "calendar_objects"

    class Resource(Base):
        address = pw.CharField(max_length=320, unique=True)
        name = pw.CharField(max_length=200)
        sort = pw.CharField(max_length=200, default="", index=True)
        kind = pw.CharField(max_length=10, default="room")
        capacity = pw.IntegerField(default=0)
        copies = pw.IntegerField(default=1)
        equipment = pw.TextField(default="")
        site = pw.CharField(max_length=200, default="")
        bookers = pw.TextField(default="")
        days_ahead = pw.IntegerField(default=0)
        hours_notice = pw.IntegerField(default=0)
        longest = pw.IntegerField(default=0)
        approval = pw.IntegerField(default=0)
        approver = pw.ForeignKeyField(User, null=True, on_delete="SET NULL", backref="+")
        closed = pw.IntegerField(default=0)

        class Meta:
            table_name = "resources"

    class ResourceUse(Base):
        object = pw.ForeignKeyField(CalendarObject, on_delete="CASCADE", backref="+", index=False)
        resource = pw.ForeignKeyField(Resource, on_delete="CASCADE", backref="+")
        user = pw.ForeignKeyField(User, null=True, on_delete="SET NULL", backref="+")
        booked_until = pw.BigIntegerField(default=0)
        refused = pw.IntegerField(default=0)

        class Meta:
            table_name = "resource_uses"
            indexes = ((("object", "resource"), True), (("booked_until",), False))

    class ResourceBooking(Base):
        use = pw.ForeignKeyField(ResourceUse, on_delete="CASCADE", backref="+")
        resource = pw.ForeignKeyField(Resource, on_delete="CASCADE", backref="+", index=False)
        start = pw.BigIntegerField()
        end = pw.BigIntegerField()
        position = pw.IntegerField(default=0)
        recurrence_id = pw.CharField(max_length=40, default="")
        pending = pw.IntegerField(default=0)

        class Meta:
            table_name = "resource_bookings"
            indexes = ((("resource", "start", "end"), False), (("pending", "resource"), False))

    class ResourceSlot(Base):
        resource = pw.ForeignKeyField(Resource, on_delete="CASCADE", backref="+", index=False)
        position = pw.IntegerField()
        slot = pw.BigIntegerField()
        booking = pw.ForeignKeyField(ResourceBooking, on_delete="CASCADE", backref="+")

        class Meta:
            table_name = "resource_slots"
            indexes = ((("resource", "position", "slot"), True),)

    return [Resource, ResourceUse, ResourceBooking, ResourceSlot]
