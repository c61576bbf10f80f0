"""Copies of drafts in the Drafts folder: which attempt is open, why there is none, and when to try again."""

import peewee as pw

COLUMNS = [
    ("copy_mark", pw.CharField(max_length=16, null=True)),
    ("saved_mark", pw.CharField(max_length=16, null=True)),
    ("copy_error", pw.CharField(max_length=20, null=True)),
    ("copy_due", pw.DateTimeField(null=True)),
    ("credential", pw.BlobField(null=True)),
]


def up(migrator, db):
    migrator.migrate(*(migrator.add_column("drafts", name, field) for name, field in COLUMNS))
    migrator.migrate(migrator.add_index("drafts", ("copy_due",)))
    # those whose latest text is not in the Drafts folder yet
    db.execute_sql(
        "UPDATE drafts SET copy_due = updated"
        " WHERE updated > created AND (saved_at IS NULL OR saved_mailbox = '' OR updated > saved_at)"
    )


def down(migrator, db):
    migrator.migrate(migrator.drop_index("drafts", "drafts_copy_due"))
    migrator.migrate(*(migrator.drop_column("drafts", name) for name, _field in COLUMNS))
