"""The language in which somebody used the pages last: mail to who chose none is written in it."""

import peewee as pw


def up(migrator, db):
    migrator.migrate(migrator.add_column("accounts", "spoken", pw.CharField(max_length=5, default="")))


def down(migrator, db):
    migrator.migrate(migrator.drop_column("accounts", "spoken"))
