"""Who is to be told that what they booked has changed."""

import peewee as pw


def up(migrator, db):
    column = pw.IntegerField(default=0, constraints=[pw.SQL("DEFAULT 0")])
    migrator.migrate(migrator.add_column("appointment_bookings", "outdated", column))


def down(migrator, db):
    migrator.migrate(migrator.drop_column("appointment_bookings", "outdated"))
