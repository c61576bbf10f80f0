"""What was sent to other servers whose answer never came, and where servers sent us on to that must not be asked."""

import peewee as pw

_COLUMNS = (("remote_items", "sent", 200), ("remote_accounts", "error_host", 253), ("calendar_subscriptions", "error_host", 253))


def up(migrator, db):
    for table, name, longest in _COLUMNS:
        column = pw.CharField(max_length=longest, default="", constraints=[pw.SQL("DEFAULT ''")])
        migrator.migrate(migrator.add_column(table, name, column))


def down(migrator, db):
    for table, name, _longest in _COLUMNS:
        migrator.migrate(migrator.drop_column(table, name))
