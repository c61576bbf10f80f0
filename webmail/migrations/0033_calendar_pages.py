"""Indexes for the calendar's pages: what takes more than eight days, and what recurs, are few, and are looked for by themselves.

The times of all others are read from an index alone.
"""

INDEXES = {
    "occurrences_times": 'occurrences (collection_id, start, "end", whole_day, busy)',
    "occurrences_long": 'occurrences (collection_id, start, "end", whole_day, busy) WHERE "end" - start > 691200',
    "calendar_objects_recurring": "calendar_objects (collection_id, indexed_until, indexed_from) WHERE recurring = 1",
}
BEFORE = "occurrence_collection_id_start_end"


def up(migrator, db):
    for name, on in INDEXES.items():
        db.execute_sql(f"CREATE INDEX {name} ON {on}")
    db.execute_sql(f"DROP INDEX {BEFORE}")  # the first has all of it


def down(migrator, db):
    db.execute_sql(f'CREATE INDEX {BEFORE} ON occurrences (collection_id, start, "end")')
    for name in INDEXES:
        db.execute_sql(f"DROP INDEX {name}")
