"""Calendars and books of connected services, kept in step as those of other servers are."""

import peewee as pw


def up(migrator, db):
    table = _connected_services(db)
    service = pw.ForeignKeyField(table, field=table.id, null=True, on_delete="CASCADE", backref="+")
    migrator.migrate(migrator.add_column("remote_accounts", "service_id", service))


def down(migrator, db):
    migrator.migrate(migrator.drop_index("remote_accounts", "remote_accounts_service_id"))
    migrator.migrate(migrator.drop_column("remote_accounts", "service_id"))


def _connected_services(db):
    class ConnectedService(pw.Model):
        class Meta:
            database = db
            table_name = "connected_services"

    return ConnectedService
