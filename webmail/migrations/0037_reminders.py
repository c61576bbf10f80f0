"""Reminders of events, daily agendas by mail, and system mail with HTML. A worker finds the reminders of the events of before."""

import peewee as pw


def up(migrator, db):
    _system_messages, fill, objects, *tables = _tables(db)
    db.create_tables(tables)
    db.execute_sql("ALTER TABLE system_messages ADD COLUMN html TEXT NOT NULL DEFAULT ''")
    last = objects.select(pw.fn.MAX(objects.id)).scalar()
    if last:
        fill.create(name="reminders", upto=0, until=last)


def down(migrator, db):
    _system_messages, fill, _objects, *tables = _tables(db)
    db.drop_tables(list(reversed(tables)))
    fill.delete().where(fill.name == "reminders").execute()
    db.execute_sql("ALTER TABLE system_messages DROP COLUMN html")


def _tables(db):
    class Base(pw.Model):
        class Meta:
            database = db

    class SystemMessage(Base):
        class Meta:
            table_name = "system_messages"

    class IndexFill(Base):
        name = pw.CharField(max_length=20, unique=True)
        upto = pw.BigIntegerField(default=0)
        until = pw.BigIntegerField()

        class Meta:
            table_name = "index_fills"

    class User(Base):
        class Meta:
            table_name = "accounts"

    class CalendarObject(Base):
        class Meta:
            table_name = "calendar_objects"

    class NextReminder(Base):
        object = pw.ForeignKeyField(CalendarObject, on_delete="CASCADE", backref="+", unique=True)
        due = pw.BigIntegerField(default=0, index=True)
        upto = pw.BigIntegerField()

        class Meta:
            table_name = "next_reminders"

    class ShownReminder(Base):
        user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+", index=False)
        object = pw.ForeignKeyField(CalendarObject, on_delete="CASCADE", backref="+")
        recurrence_id = pw.CharField(max_length=40, default="")
        due = pw.BigIntegerField()
        since = pw.DateTimeField()

        class Meta:
            table_name = "shown_reminders"
            indexes = ((("user", "object", "recurrence_id"), True), (("user", "since"), False))

    class DailyAgenda(Base):
        user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+", unique=True)
        due = pw.DateTimeField(index=True)

        class Meta:
            table_name = "daily_agendas"

    return [SystemMessage, IndexFill, CalendarObject, NextReminder, ShownReminder, DailyAgenda]
