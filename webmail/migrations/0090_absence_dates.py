"""Until when an automatic reply says that somebody is away."""

import peewee as pw


def up(migrator, db):
    column = pw.CharField(max_length=20, default="", constraints=[pw.SQL("DEFAULT ''")])
    migrator.migrate(migrator.add_column("awaited_replies", "automatic_until", column))


def down(migrator, db):
    migrator.migrate(migrator.drop_column("awaited_replies", "automatic_until"))
