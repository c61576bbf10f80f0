"""Pages for collections: where new things go, shares that are hidden or not seen yet, and what was deleted together."""

import peewee as pw

# a process of the version before still adds rows
EMPTY = {"default": "", "constraints": [pw.SQL("DEFAULT ''")]}
ZERO = {"default": 0, "constraints": [pw.SQL("DEFAULT 0")]}
COLUMNS = {
    "collections": [("chosen", pw.IntegerField(**ZERO))],
    "collection_shares": [("hidden", pw.IntegerField(**ZERO)), ("seen", pw.IntegerField(**ZERO))],
    "trashed_items": [
        ("device", pw.CharField(max_length=60, **EMPTY)),
        ("place", pw.CharField(max_length=190, **EMPTY)),
        ("words", pw.CharField(max_length=400, **EMPTY)),
        ("batch", pw.BigIntegerField(**ZERO)),
        ("whole", pw.IntegerField(null=True)),
    ],
}


def up(migrator, db):
    db.create_tables([_table(db)])
    for table, columns in COLUMNS.items():
        migrator.migrate(*(migrator.add_column(table, name, field) for name, field in columns))
    db.execute_sql("UPDATE collection_shares SET seen = 1")
    db.execute_sql("UPDATE trashed_items SET batch = id")
    migrator.migrate(migrator.add_index("trashed_items", ("user_id", "batch")))
    migrator.migrate(migrator.add_index("trashed_items", ("whole",)))


def down(migrator, db):
    migrator.migrate(migrator.drop_index("trashed_items", "trashed_items_user_id_batch"))
    migrator.migrate(migrator.drop_index("trashed_items", "trashed_items_whole"))
    for table, columns in COLUMNS.items():
        migrator.migrate(*(migrator.drop_column(table, name) for name, _field in columns))
    db.drop_tables([_table(db)])


def _table(db):
    class User(pw.Model):
        class Meta:
            database = db
            table_name = "accounts"

    class TrashedCollection(pw.Model):
        user = pw.ForeignKeyField(User, on_delete="CASCADE")
        name = pw.CharField(max_length=190)
        kind = pw.CharField(max_length=11)
        components = pw.CharField(max_length=60, default="")
        props = pw.TextField(default="{}")
        shares = pw.TextField(default="[]")
        by = pw.CharField(max_length=254, default="")
        device = pw.CharField(max_length=60, default="")
        at = pw.DateTimeField(index=True)
        batch = pw.BigIntegerField()

        class Meta:
            database = db
            table_name = "trashed_collections"

    return TrashedCollection
