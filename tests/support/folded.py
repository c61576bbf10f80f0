"""Writes `webmail/migrations/folded/` anew from all migrations: `python -m tests.support.folded`, needs PostgreSQL.

It need not follow each migration: those that it does not name are applied after it.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import peewee as pw
from playhouse.migrations import Migration, Runner

from tests.support.postgresql import database_without_tables
from webmail.database.connection import db, open_database
from webmail.database.fold import FOLDED
from webmail.database.migrate import MIGRATIONS

_HISTORY = "schema_migration"


def of_sqlite(database: pw.Database) -> list[str]:
    """The statements that make its tables and indexes, and the rows that migrations put in."""
    rows = database.execute_sql(
        "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND tbl_name != ? ORDER BY type != 'table', rowid", (_HISTORY,)
    )
    return [_on_one_line(sql) for (sql,) in rows.fetchall()] + _rows(database)


def of_postgresql(database: pw.Database) -> list[str]:
    """The same; each table with its sequences and keys, then the references."""
    tables = [
        (number, name)
        for number, name in database.execute_sql(
            "SELECT oid, relname FROM pg_class WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace ORDER BY oid"
        ).fetchall()
        if name != _HISTORY
    ]
    made, indexes, references = [], [], []
    for number, name in tables:
        parts = [_column(*row) for row in _asked(database, _COLUMNS, number)]
        constraints = _asked(database, _CONSTRAINTS, number)
        parts += [f'CONSTRAINT "{constraint}" {text}' for constraint, kind, text in constraints if kind != "f"]
        made.append(f'CREATE TABLE "{name}" ({", ".join(parts)})')
        references += [f'ALTER TABLE "{name}" ADD CONSTRAINT "{its}" {text}' for its, kind, text in constraints if kind == "f"]
        found = [text.replace(" ON public.", " ON ") for (text,) in _asked(database, _INDEXES, number)]
        indexes += [text for text in found if "gin_trgm_ops" not in text]
    return [_on_one_line(text) for text in (*made, *indexes, *references)] + _rows(database)


_COLUMNS = (
    "SELECT a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid) FROM pg_attribute a"
    " LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum"
    " WHERE a.attrelid = %s AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum"
)
_CONSTRAINTS = "SELECT conname, contype::text, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = %s AND contype != 'n' ORDER BY oid"
_INDEXES = (
    "SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = %s"
    " AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = indexrelid AND contype IN ('p', 'u')) ORDER BY indexrelid"
)


def _asked(database: pw.Database, query: str, number: int) -> list[Any]:
    return list(database.execute_sql(query, (number,)).fetchall())


def _column(name: str, kind: str, needed: bool, default: str | None) -> str:
    if default is not None and default.startswith("nextval("):
        return f'"{name}" {"bigserial" if kind == "bigint" else "serial"} NOT NULL'
    return f'"{name}" {kind}' + (f" DEFAULT {default}" if default is not None else "") + (" NOT NULL" if needed else "")


def _rows(database: pw.Database) -> list[str]:
    """What migrations put into tables: few rows of numbers and words."""
    found = []
    for table in sorted(set(database.get_tables()) - {_HISTORY}):
        cursor = database.execute_sql(f'SELECT * FROM "{table}"')
        names = ", ".join(f'"{column[0]}"' for column in cursor.description)
        for row in cursor.fetchall():
            values = ", ".join(
                "NULL" if value is None else str(value) if isinstance(value, int) else f"'{value}'" for value in row
            )
            found.append(f'INSERT INTO "{table}" ({names}) VALUES ({values})')
    return found


def _on_one_line(sql: str) -> str:
    return " ".join(sql.split())


def _written(kind: str, found: list[str]) -> None:
    (FOLDED / f"{kind}.sql").write_text("".join(f"{statement};\n" for statement in found))


def migrated(url: str) -> pw.Database:
    """A database that all migrations were applied to, one after the other."""
    database = open_database(url)
    with db.connection_context():
        Runner(database, str(MIGRATIONS)).up()
    return database


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        sqlite = migrated(f"sqlite:///{Path(folder) / 'x.sqlite'}")
        _written("sqlite", of_sqlite(sqlite))
        sqlite.close()
    with database_without_tables() as address:
        postgresql = migrated(address)
        _written("postgresql", of_postgresql(postgresql))
        postgresql.close()
    (FOLDED / "names.txt").write_text("".join(f"{one.name}\n" for one in Migration.load_directory(str(MIGRATIONS))))
