"""Files that are added to a transfer after it was sent: gathered beside it, and who is to be told of them."""

import peewee as pw


class Transfer(pw.Model):
    class Meta:
        table_name = "transfers"


def up(migrator, db):
    adds_to = pw.ForeignKeyField(Transfer, Transfer.id, null=True, on_delete="CASCADE", backref="+")
    migrator.migrate(
        migrator.add_column("transfers", "adds_to_id", adds_to),
        migrator.add_column("transfer_files", "added", pw.DateTimeField(null=True)),
        migrator.add_column("transfer_recipients", "news", pw.DateTimeField(null=True)),
    )


def down(migrator, db):
    migrator.migrate(
        migrator.drop_column("transfer_recipients", "news"),
        migrator.drop_column("transfer_files", "added"),
        migrator.drop_index("transfers", "transfers_adds_to_id"),
        migrator.drop_column("transfers", "adds_to_id"),
    )
