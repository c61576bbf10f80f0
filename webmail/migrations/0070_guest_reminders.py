"""Events whose guests are reminded once if they have not replied."""

import peewee as pw


def up(migrator, db):
    db.create_tables([_guest_reminders(db)])


def down(migrator, db):
    db.drop_tables([_guest_reminders(db)])


def _guest_reminders(db):
    class Base(pw.Model):
        class Meta:
            database = db

    class User(Base):
        class Meta:
            table_name = "accounts"

    class CalendarObject(Base):
        class Meta:
            table_name = "calendar_objects"

    class GuestReminder(Base):
        object = pw.ForeignKeyField(CalendarObject, on_delete="CASCADE", backref="+", unique=True)
        user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+", index=False)
        due = pw.BigIntegerField(index=True)
        seq = pw.BigIntegerField()

        class Meta:
            table_name = "guest_reminders"

    return GuestReminder
