"""The mail credential of a task that works on a person's mail, where the mail server takes no tokens."""

import peewee as pw


def up(migrator, db):
    migrator.migrate(migrator.add_column("tasks", "credential", pw.BlobField(null=True)))


def down(migrator, db):
    migrator.migrate(migrator.drop_column("tasks", "credential"))
