"""The keys by which names of contacts are found, computed anew: words in capitals with accents are no longer cut behind these."""

import importlib


def up(migrator, db):
    importlib.import_module("webmail.migrations.0012_names").compute(db)


def down(migrator, db):
    """The next change of a contact writes its keys in any case."""
