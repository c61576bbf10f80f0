"""An index of the trigrams of events' and contacts' words for PostgreSQL, by which a word is found without reading all rows.

`pg_trgm` is an extension that the owner of a database may create, from PostgreSQL 13 on, where its modules are installed.
Where it can't be had, searches read all rows as before, and `flask doctor` says so.
"""

import logging

import peewee as pw

INDEXES = {"calendar_objects_trigrams": "calendar_objects", "contacts_trigrams": "contacts"}


def up(migrator, db):
    if isinstance(db, pw.SqliteDatabase):
        return
    try:
        with db.atomic():  # a savepoint: what is refused must not end the migration
            db.execute_sql("CREATE EXTENSION IF NOT EXISTS pg_trgm")
            for name, table in INDEXES.items():
                db.execute_sql(f"CREATE INDEX {name} ON {table} USING gin (words gin_trgm_ops)")
    except pw.DatabaseError as error:
        logging.getLogger("webmail.database").warning("no index of words: %s", str(error).strip().splitlines()[0])


def down(migrator, db):
    for name in INDEXES:
        db.execute_sql(f"DROP INDEX IF EXISTS {name}")
