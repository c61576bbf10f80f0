"""Indexes for the calendar's pages: what takes long, and what recurs, are few, and are looked for by themselves."""

INDEXES = {
    "occurrences_long": 'occurrences (collection_id, start, "end") WHERE "end" - start > 3024000',
    "calendar_objects_recurring": "calendar_objects (collection_id, indexed_until, indexed_from) WHERE recurring = 1",
}


def up(migrator, db):
    for name, on in INDEXES.items():
        db.execute_sql(f"CREATE INDEX {name} ON {on}")


def down(migrator, db):
    for name in INDEXES:
        db.execute_sql(f"DROP INDEX {name}")
