"""Letters about large files: whose answers they get, what was told of; which worker checks a file; why a transfer was closed."""

import peewee as pw

COLUMNS = (
    ("system_messages", "reply_to", "VARCHAR(254) NOT NULL DEFAULT ''"),
    ("transfer_recipients", "receipted", "BIGINT NOT NULL DEFAULT 0"),
    ("transfers", "all_told", "INTEGER NOT NULL DEFAULT 0"),
    ("transfers", "closed_reason", "VARCHAR(300) NOT NULL DEFAULT ''"),
)


def up(migrator, db):
    for table, column, kind in COLUMNS:
        db.execute_sql(f"ALTER TABLE {table} ADD COLUMN {column} {kind}")
    db.execute_sql(f"ALTER TABLE stored_contents ADD COLUMN check_lease {_moment(db)}")
    db.execute_sql("CREATE INDEX transfer_events_told ON transfer_events (told)")
    db.execute_sql("CREATE INDEX transfers_files_gone_state ON transfers (files_gone, state)")


def down(migrator, db):
    db.execute_sql("DROP INDEX transfers_files_gone_state")
    db.execute_sql("DROP INDEX transfer_events_told")
    db.execute_sql("ALTER TABLE stored_contents DROP COLUMN check_lease")
    for table, column, _kind in reversed(COLUMNS):
        db.execute_sql(f"ALTER TABLE {table} DROP COLUMN {column}")


def _moment(db):
    return "TIMESTAMP" if isinstance(db, pw.PostgresqlDatabase) else "DATETIME"
