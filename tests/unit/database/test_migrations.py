"""Migrations: each on tables that have rows, there and back, and what they make is what the models say."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import peewee as pw
import pytest
from playhouse.migrations import Migration, Runner

from tests.support.any_rows import columns, content, fill, is_postgresql, references
from webmail import models
from webmail.database.connection import db, open_database
from webmail.database.migrate import MIGRATIONS

NAMES = [migration.name for migration in Migration.load_directory(str(MIGRATIONS))]
# (migration, table): columns of before that it fills anew, or None where it adds rows
CHANGED = {
    ("0012_names", "contact_addresses"): {"alike", "key"},
    ("0035_categories", "index_fills"): None,
    ("0037_reminders", "index_fills"): None,
    ("0080_todos", "index_fills"): None,
    ("0057_capitals", "contact_addresses"): {"alike", "key"},
    ("0063_first_cards", "accounts"): {"preferences"},
}
EMPTIED = {("0058_limit_uses", "guest_visits"), ("0058_limit_uses", "transfer_tries")}
OLD = {"guest_visits", "reply_searches", "transfer_tries"}  # that no model is of any more: the code of before may still run
# made by SQL, since a model cannot say that an index counts some rows alone, what it is computed from, or of which database it is
INDEXES_BY_SQL = {
    "calendar_objects_recurring", "calendar_objects_trigrams", "calendar_objects_words", "contacts_trigrams", "occurrences_long",
}  # fmt: skip


@pytest.fixture
def database(empty_database: str) -> Iterator[pw.Database]:
    open_database(empty_database)
    with db.connection_context():
        yield db.obj
    db.obj.close()


def shape(database: pw.Database) -> dict[str, Any]:
    """Columns, indexes and references of all tables. SQLite looks at no length, and calls all integers alike."""
    exact, refers, found = is_postgresql(database), references(database), {}
    for table, its in columns(database).items():
        kinds = its if exact else [(column.name, column.kind.replace("bigint", "integer"), column.null) for column in its]
        indexes = [(tuple(i.columns), i.unique) for i in database.get_indexes(table) if i.name not in INDEXES_BY_SQL]
        found[table] = {"columns": kinds, "indexes": sorted(indexes), "references": refers.get(table)}
    return found


def what_differs(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    return {name: (old.get(name), new.get(name)) for name in {*old, *new} if old.get(name) != new.get(name)}


def rows_lost(name: str, before: dict[str, list[dict[str, Any]]], after: dict[str, list[dict[str, Any]]]) -> dict[str, list[str]]:
    """By table, the rows that stood in it before the migration of this name and no longer do."""
    lost = {}
    for table, rows in before.items():
        if (name, table) in EMPTIED:
            continue
        anew = CHANGED.get((name, table), set())
        same = [column for column in rows[0] if column not in (anew or ()) and column in after[table][0]]
        left = {repr([row[column] for column in same]) for row in after[table]}
        gone = [row for row in (repr([row[column] for column in same]) for row in rows) if row not in left]
        assert anew is None or len(after[table]) == len(rows), f"{name} changes how many rows {table} has"
        if gone:
            lost[table] = gone
    return lost


def test_each_migration_keeps_the_rows_of_all_tables_and_makes_what_it_makes_of_empty_ones(database: pw.Database) -> None:
    chance, runner = Random(7), Runner(database, str(MIGRATIONS))
    runner.up()
    empty = shape(database)
    runner.down(NAMES[0])
    filled: dict[
        str, Any
    ] = {}  # tables with their columns: a new or changed one gets rows, or the last of them would be the hundredth
    for name in NAMES:
        before = content(database)
        assert runner.up(name) == [name]
        assert rows_lost(name, before, content(database)) == {}, name
        if not is_postgresql(database):
            assert database.execute_sql("PRAGMA foreign_key_check").fetchall() == [], name
        with database.atomic():
            fill(database, chance, 4, but=[table for table, its in columns(database).items() if filled.get(table) == its])
        filled = columns(database)
    assert what_differs(empty, shape(database)) == {}
    if not is_postgresql(database):
        assert database.execute_sql("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert database.pragma("foreign_keys") == 1  # off while a table is made anew


def test_they_make_the_tables_of_the_models_and_can_be_taken_back(database: pw.Database) -> None:
    runner = Runner(database, str(MIGRATIONS))
    runner.up()
    migrated = shape(database)
    runner.down(NAMES[0])
    assert columns(database) == {}
    database.create_tables([table for table in map(models.__dict__.get, models.__all__) if is_model(table)])
    assert set(what_differs(migrated, shape(database))) == OLD


def is_model(thing: object) -> bool:
    return isinstance(thing, type) and issubclass(thing, models.Table) and thing is not models.Table
