"""When an administrator has dealt with a phishing report, and who."""

import peewee as pw


def up(migrator, db):
    migrator.migrate(
        migrator.add_column("phishing_reports", "handled", pw.DateTimeField(null=True)),
        migrator.add_column("phishing_reports", "handler", pw.CharField(max_length=254, default="")),
    )


def down(migrator, db):
    migrator.migrate(migrator.drop_column("phishing_reports", "handled"), migrator.drop_column("phishing_reports", "handler"))
