"""An index of events' words for SQLite, which finds them in it without reading the events. PostgreSQL takes no such long ones."""

import peewee as pw

INDEX = "calendar_objects_words"


def up(migrator, db):
    if isinstance(db, pw.SqliteDatabase):
        db.execute_sql(f"CREATE INDEX {INDEX} ON calendar_objects (collection_id, words)")


def down(migrator, db):
    db.execute_sql(f"DROP INDEX IF EXISTS {INDEX}")
