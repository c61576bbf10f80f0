"""App passwords know what they were made for, and the address at which a telephone fetches its profile, once."""

import peewee as pw

# a process of the version before still adds rows
EMPTY = {"default": "", "constraints": [pw.SQL("DEFAULT ''")]}
COLUMNS = [
    ("kind", pw.CharField(max_length=20, **EMPTY)),
    ("profile_hash", pw.CharField(max_length=64, null=True, index=True)),
    ("profile_sealed", pw.BlobField(null=True)),
    ("profile_until", pw.DateTimeField(null=True)),
    ("profile_taken", pw.DateTimeField(null=True)),
    ("profile_network", pw.CharField(max_length=64, **EMPTY)),
]


def up(migrator, db):
    migrator.migrate(*(migrator.add_column("app_passwords", name, field) for name, field in COLUMNS))


def down(migrator, db):
    migrator.migrate(migrator.drop_index("app_passwords", "app_passwords_profile_hash"))
    migrator.migrate(*(migrator.drop_column("app_passwords", name) for name, _field in COLUMNS))
