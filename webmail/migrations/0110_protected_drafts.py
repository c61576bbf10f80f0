"""Messages that are signed or encrypted: what is chosen for a draft, its sealed text and files, copies for hidden recipients."""

import peewee as pw

# nullable: on SQLite anything else would make the tables anew, and dropping the old ones would drop the drafts' files
COLUMNS = [
    ("drafts", "protection", pw.CharField(max_length=10, null=True)),
    ("drafts", "sealed", pw.BlobField(null=True)),
    ("drafts", "seal_public", pw.BlobField(null=True)),
    ("drafts", "seal_private", pw.BlobField(null=True)),
    ("draft_attachments", "sealed", pw.BlobField(null=True)),
    ("outbox", "protection", pw.CharField(max_length=10, null=True)),
    ("outbox", "part_of", pw.BigIntegerField(null=True)),
]


def up(migrator, db):
    migrator.migrate(*(migrator.add_column(table, name, field) for table, name, field in COLUMNS))
    migrator.migrate(migrator.add_index("outbox", ("part_of",)))


def down(migrator, db):
    migrator.migrate(migrator.drop_index("outbox", "outbox_part_of"))
    migrator.migrate(*(migrator.drop_column(table, name) for table, name, _field in COLUMNS))
