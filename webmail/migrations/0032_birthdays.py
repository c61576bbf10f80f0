"""Calendars that only the application writes; whose birthdays are in one."""

import peewee as pw

# a process of the version before still adds rows
DERIVED = pw.CharField(max_length=12, default="", constraints=[pw.SQL("DEFAULT ''")])


def up(migrator, db):
    migrator.migrate(migrator.add_column("collections", "derived", DERIVED))
    db.create_tables(_tables(db))


def down(migrator, db):
    db.drop_tables(_tables(db))
    migrator.migrate(migrator.drop_column("collections", "derived"))


def _tables(db):
    class User(pw.Model):
        class Meta:
            database = db
            table_name = "accounts"

    class Collection(pw.Model):
        class Meta:
            database = db
            table_name = "collections"

    class BirthdayCalendar(pw.Model):
        user = pw.ForeignKeyField(User, on_delete="CASCADE", unique=True)
        collection = pw.ForeignKeyField(Collection, null=True, on_delete="SET NULL")
        language = pw.CharField(max_length=5, default="")
        wanted = pw.IntegerField(default=1)
        upto = pw.BigIntegerField(default=0)

        class Meta:
            database = db
            table_name = "birthday_calendars"

    return [BirthdayCalendar]
