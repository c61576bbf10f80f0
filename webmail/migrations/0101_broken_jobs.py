"""When periodic work last broke, and why."""

import peewee as pw


def up(migrator, db):
    migrator.migrate(migrator.add_column("periodic_jobs", "broke", pw.DateTimeField(null=True)))
    migrator.migrate(migrator.add_column("periodic_jobs", "reason", pw.CharField(max_length=200, null=True)))


def down(migrator, db):
    for name in ("reason", "broke"):
        migrator.migrate(migrator.drop_column("periodic_jobs", name))
