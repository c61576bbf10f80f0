"""Large files of a message: for how many days its link works, and files of which nobody has said yet that they go as a link."""

import peewee as pw


def up(migrator, db):
    days = pw.IntegerField(null=True, default=0)
    held = pw.IntegerField(default=0, constraints=[pw.SQL("DEFAULT 0")])  # a process of the version before still adds rows
    migrator.migrate(migrator.add_column("drafts", "link_days", days), migrator.add_column("transfer_files", "held", held))


def down(migrator, db):
    migrator.migrate(migrator.drop_column("drafts", "link_days"), migrator.drop_column("transfer_files", "held"))
