"""Signatures may be formatted text, with a picture."""

import peewee as pw

_ADDED = ("format", "picture", "picture_name")


def up(migrator, db):
    empty = [pw.SQL("DEFAULT ''")]  # a process of the version before still adds rows
    for name in _ADDED:
        migrator.migrate(migrator.add_column("signatures", name, pw.TextField(default="", constraints=empty)))


def down(migrator, db):
    for name in _ADDED:
        migrator.migrate(migrator.drop_column("signatures", name))
