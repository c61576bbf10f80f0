"""Large files of a message that go to a drive of their owner instead of being given out here."""

import peewee as pw


def up(migrator, db):
    migrator.migrate(
        migrator.add_column("transfers", "drive_state", pw.CharField(max_length=10, null=True)),
        migrator.add_column("transfers", "drive", pw.TextField(null=True)),
        migrator.add_index("transfers", ("drive_state",)),
    )


def down(migrator, db):
    migrator.migrate(
        migrator.drop_index("transfers", "transfers_drive_state"),
        migrator.drop_column("transfers", "drive"),
        migrator.drop_column("transfers", "drive_state"),
    )
