"""What an establishment gives its people, beneath what groups give."""

import peewee as pw


def up(migrator, db):
    migrator.migrate(
        migrator.add_column("establishments", "policy", pw.TextField(null=True)),
        migrator.add_column("establishments", "version", pw.IntegerField(null=True)),
    )


def down(migrator, db):
    migrator.migrate(migrator.drop_column("establishments", "version"), migrator.drop_column("establishments", "policy"))
