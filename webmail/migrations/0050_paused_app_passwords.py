"""App passwords that pause while a provider has not vouched for their owner, and when the owner was told."""

import peewee as pw


def up(migrator, db):
    migrator.migrate(
        migrator.add_column("app_passwords", "before_pause", pw.BigIntegerField(null=True)),
        migrator.add_column("linked_accounts", "warned", pw.DateTimeField(null=True)),
    )


def down(migrator, db):
    migrator.migrate(
        migrator.drop_column("linked_accounts", "warned"),
        migrator.drop_column("app_passwords", "before_pause"),
    )
