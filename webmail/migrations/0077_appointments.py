"""Appointments that people without an account book; a calendar file in the establishment's mail."""

from datetime import UTC, datetime

import peewee as pw


def up(migrator, db):
    db.create_tables(_tables(db))
    db.execute_sql("ALTER TABLE system_messages ADD COLUMN calendar TEXT NOT NULL DEFAULT ''")


def down(migrator, db):
    db.execute_sql("ALTER TABLE system_messages DROP COLUMN calendar")
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

    class Resource(Base):
        class Meta:
            table_name = "resources"

    class AppointmentOffer(Base):
        owner = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+")
        nonce = pw.CharField(max_length=32)
        link_hash = pw.CharField(max_length=64, unique=True)
        title = pw.CharField(max_length=200)
        message = pw.TextField(default="")
        location = pw.CharField(max_length=300, default="")
        resource = pw.ForeignKeyField(Resource, null=True, on_delete="SET NULL", backref="+")
        capacity = pw.IntegerField(default=1)
        most = pw.IntegerField(default=1)
        fields = pw.CharField(max_length=200, default="")
        question = pw.CharField(max_length=200, default="")
        notice = pw.IntegerField(default=0)
        ahead = pw.IntegerField(default=0)
        cancel_notice = pw.IntegerField(default=0)
        waiting = pw.IntegerField(default=0)
        remind = pw.IntegerField(default=1)
        ends = pw.BigIntegerField(index=True)
        closed = pw.DateTimeField(null=True)
        cancelled = pw.DateTimeField(null=True)
        cancel_note = pw.TextField(default="")
        forgotten = pw.DateTimeField(null=True)
        created = pw.DateTimeField(default=_now)

        class Meta:
            table_name = "appointment_offers"

    class AppointmentHost(Base):
        offer = pw.ForeignKeyField(AppointmentOffer, on_delete="CASCADE", backref="+", index=False)
        user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+")
        agreed = pw.DateTimeField(null=True)

        class Meta:
            table_name = "appointment_hosts"
            indexes = ((("offer", "user"), True),)

    class AppointmentSlot(Base):
        offer = pw.ForeignKeyField(AppointmentOffer, on_delete="CASCADE", backref="+", index=False)
        host = pw.ForeignKeyField(AppointmentHost, on_delete="CASCADE", backref="+", index=False)
        start = pw.BigIntegerField()
        end = pw.BigIntegerField()
        uid = pw.CharField(max_length=100, index=True)
        stale = pw.IntegerField(default=0, index=True)
        freed = pw.IntegerField(default=0, index=True)
        removed = pw.IntegerField(default=0)

        class Meta:
            table_name = "appointment_slots"
            indexes = ((("host", "start"), True), (("offer", "start"), False))

    class AppointmentBooking(Base):
        offer = pw.ForeignKeyField(AppointmentOffer, on_delete="CASCADE", backref="+", index=False)
        slot = pw.ForeignKeyField(AppointmentSlot, null=True, on_delete="CASCADE", backref="+", index=False)
        position = pw.IntegerField(null=True)
        state = pw.CharField(max_length=10, default="held")
        until = pw.DateTimeField(null=True)
        name = pw.CharField(max_length=200)
        address = pw.CharField(max_length=254)
        answers = pw.TextField(default="{}")
        language = pw.CharField(max_length=5, default="")
        nonce = pw.CharField(max_length=32)
        link_hash = pw.CharField(max_length=64, unique=True)
        sequence = pw.IntegerField(default=0)
        earlier = pw.IntegerField(default=0)
        reminded = pw.IntegerField(default=0)
        counted = pw.CharField(max_length=200, default="")
        created = pw.DateTimeField(default=_now)
        confirmed = pw.DateTimeField(null=True)

        class Meta:
            table_name = "appointment_bookings"
            indexes = ((("slot", "position"), True), (("offer", "state"), False), (("state", "until"), False))

    return [AppointmentOffer, AppointmentHost, AppointmentSlot, AppointmentBooking]
