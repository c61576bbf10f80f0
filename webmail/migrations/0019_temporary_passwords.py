"""Whether the password of an account is one that its owner has to change first."""

import peewee as pw


def up(migrator, db):
    migrator.migrate(migrator.add_column("accounts", "must_change", pw.IntegerField(default=0)))


def down(migrator, db):
    migrator.migrate(migrator.drop_column("accounts", "must_change"))
