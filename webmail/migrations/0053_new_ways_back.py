"""From when on a recovery address and a telephone number lead to a new password."""

import peewee as pw


def up(migrator, db):
    migrator.migrate(
        migrator.add_column("accounts", "recovery_from", pw.DateTimeField(null=True)),
        migrator.add_column("accounts", "phone_from", pw.DateTimeField(null=True)),
    )


def down(migrator, db):
    migrator.migrate(
        migrator.drop_column("accounts", "phone_from"),
        migrator.drop_column("accounts", "recovery_from"),
    )
