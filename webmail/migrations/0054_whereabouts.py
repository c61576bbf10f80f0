"""Where the cookie of a session turned up; and when a credential of an account ended last."""

import peewee as pw


def up(migrator, db):
    migrator.migrate(
        migrator.add_column("session", "whereabouts", pw.TextField(null=True)),
        migrator.add_column("accounts", "credential_ended", pw.BigIntegerField(null=True)),
    )


def down(migrator, db):
    migrator.migrate(
        migrator.drop_column("accounts", "credential_ended"),
        migrator.drop_column("session", "whereabouts"),
    )
