"""Rows for whatever tables a database has, plain ones and odd ones that its constraints allow; what stands in it; its shape."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime, timedelta
from random import Random
from typing import Any, NamedTuple

import peewee as pw

ODD = ("", "é’\u202f✓ 漢字", "'; --", '{"a": [1]}', "%s", "x" * 600, "one\r\ntwo", "😀" * 40)


class Column(NamedTuple):
    name: str
    kind: str  # lower case, without a length
    null: bool
    most: int | None  # characters


class Reference(NamedTuple):
    column: str
    to: str  # a table: its `id`
    deleted: str  # what happens here when a row there is: c or CASCADE, n or SET NULL


def is_postgresql(database: pw.Database) -> bool:
    return isinstance(database, pw.PostgresqlDatabase)


def columns(database: pw.Database) -> dict[str, list[Column]]:
    """Those of each table, by name: a migration adds its own at the end."""
    found = defaultdict(list)
    if is_postgresql(database):
        rows = database.execute_sql(
            "SELECT table_name, column_name, data_type, is_nullable = 'YES', character_maximum_length"
            " FROM information_schema.columns WHERE table_schema = current_schema()"
        )
        for table, *about in rows.fetchall():
            found[table].append(Column(*about))
    else:
        rows = database.execute_sql(
            'SELECT m.name, i.name, i.type, NOT (i."notnull" OR i.pk) FROM sqlite_master m, pragma_table_info(m.name) i'
            " WHERE m.type = 'table'"
        )
        for table, name, kind, null in rows.fetchall():
            word, _bracket, length = kind.lower().rstrip(")").partition("(")
            found[table].append(Column(name, word, bool(null), int(length) if length else None))
    found.pop("schema_migration", None)
    return {table: sorted(its) for table, its in found.items()}


def references(database: pw.Database) -> dict[str, list[Reference]]:
    found = defaultdict(list)
    rows = database.execute_sql(
        "SELECT c.conrelid::regclass::text, a.attname, c.confrelid::regclass::text, c.confdeltype::text FROM pg_constraint c"
        " JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1] WHERE c.contype = 'f'"
        if is_postgresql(database)
        else 'SELECT m.name, f."from", f."table", f.on_delete FROM sqlite_master m, pragma_foreign_key_list(m.name) f'
        " WHERE m.type = 'table'"
    )
    for table, *about in rows.fetchall():
        found[table].append(Reference(*about))
    return {table: sorted(its) for table, its in found.items()}


def fill(database: pw.Database, chance: Random, each: int, but: Collection[str] = ()) -> None:
    """Add up to so many rows to each table but these, where they have some; the first has NULL wherever it may. None stays empty."""
    refers, left = references(database), columns(database)
    ids: dict[str, list[Any]] = {}
    while left:
        ready = [table for table in left if {its.to for its in refers.get(table, ())} - {table} <= set(ids)]
        assert ready, f"these refer to each other: {sorted(left)}"
        for table in ready:
            known = {its.column: ids.get(its.to, []) for its in refers.get(table, ())}
            key = "id" if any(column.name == "id" for column in left[table]) else "1"
            ids[table] = _values(database, key, table)
            if table not in but or not ids[table]:
                _add(database, table, [_row(database, left[table], known, chance, number == 0) for number in range(each)])
                ids[table] = _values(database, key, table)
            del left[table]
            assert ids[table], f"no row could be added to {table}"


def _values(database: pw.Database, key: str, table: str) -> list[Any]:
    return [value for (value,) in database.execute_sql(f'SELECT {key} FROM "{table}"').fetchall()]


def content(database: pw.Database) -> dict[str, list[dict[str, Any]]]:
    """All rows of all tables."""
    found = {}
    for table, its in columns(database).items():
        names = [column.name for column in its]
        rows = database.execute_sql(f'SELECT {_quoted(names)} FROM "{table}"').fetchall()
        found[table] = [dict(zip(names, row, strict=True)) for row in rows]
    return found


def _row(database: pw.Database, its: list[Column], known: dict[str, list[Any]], chance: Random, bare: bool) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for column in its:
        if column.name == "id" and "int" in column.kind:
            continue  # the database counts
        if column.null and (bare or chance.random() < 0.3):
            row[column.name] = None
        elif column.name in known:
            row[column.name] = chance.choice(known[column.name] or [None])
        else:
            row[column.name] = _value(column, chance, is_postgresql(database))
    return row


def _add(database: pw.Database, table: str, rows: list[dict[str, Any]]) -> None:
    """Add them. A random one may break the rule that a value stands once: it is left out."""
    mark = "%s" if is_postgresql(database) else "?"
    marks = ", ".join([f"({', '.join([mark] * len(rows[0]))})"] * len(rows))
    statement = f'INSERT INTO "{table}" ({_quoted(list(rows[0]))}) VALUES {marks} ON CONFLICT DO NOTHING'
    database.execute_sql(statement, [value for row in rows for value in row.values()])


def _value(column: Column, chance: Random, postgresql: bool) -> Any:
    kind = column.kind
    if "char" in kind or kind == "text":
        return (chance.choice(ODD) if chance.random() < 0.2 else chance.randbytes(16).hex())[: column.most]
    if "bool" in kind:
        return chance.random() < 0.5
    if "int" in kind:
        return chance.choice([0, 1, chance.randrange(10**6), 2**31 - 1])
    if kind in ("real", "float", "double precision"):
        return chance.random() * 1e9
    if kind in ("blob", "bytea"):
        return chance.randbytes(chance.choice([0, 1, 200]))
    assert kind.startswith(("timestamp", "date")), f"no values for {column}"
    moment = datetime(1970, 1, 1) + timedelta(seconds=chance.randrange(4 * 10**9), microseconds=chance.choice([0, 123456]))
    value = moment.date() if kind == "date" else moment
    return value if postgresql else str(value)


def _quoted(names: list[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
