"""Which form wrote a draft last, so that two windows do not overwrite each other's text."""

import peewee as pw


def up(migrator, db):
    # nullable: on SQLite anything else would make the table anew, and dropping the old one would drop the drafts' files
    migrator.migrate(migrator.add_column("drafts", "writer", pw.CharField(max_length=32, null=True)))


def down(migrator, db):
    migrator.migrate(migrator.drop_column("drafts", "writer"))
