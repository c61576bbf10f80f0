"""Moving between SQLite and PostgreSQL: everything, or nothing; what was read is as it was."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import peewee as pw
import pytest

from tests.support.any_rows import columns, content, fill
from tests.support.postgresql import database_without_tables, server_url
from webmail import models
from webmail.database import moving
from webmail.database.connection import db, open_database
from webmail.database.migrate import migrate
from webmail.models import Contact, User, now

pytestmark = pytest.mark.postgresql


@pytest.fixture
def postgresql() -> Iterator[str]:
    if not server_url():
        pytest.skip("no PostgreSQL server: TRABOULE_TEST_POSTGRESQL is not set")
    before = db.obj
    with database_without_tables() as url:
        yield url
    if before is not None:
        db.initialize(before)


@pytest.fixture
def sqlite(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'x.sqlite'}"


def filled(url: str, each: int = 6) -> None:
    """Leave this database open, with tables and rows in all of them."""
    opened = open_database(url)
    migrate()
    with db.connection_context(), db.atomic():
        fill(opened, Random(3), each)
        for table in table_models():  # SQLite has no type of its own for what is yes or no, so anything was written there
            for field in table._meta.sorted_fields:
                if isinstance(field, pw.BooleanField):
                    table.update({field: pw.Case(None, [(field, True)], False)}).where(field.is_null(False)).execute()


def table_models() -> list[type[models.Table]]:
    return [
        one
        for one in map(models.__dict__.get, models.__all__)
        if isinstance(one, type) and issubclass(one, models.Table) and one is not models.Table
    ]


def rows_of(url: str) -> dict[str, list[dict[str, Any]]]:
    """All rows, with values that are the same on both."""
    opened = open_database(url)
    with db.connection_context():
        kinds = columns(opened)
        found = content(opened)
    opened.close()
    for table, its in kinds.items():
        for row in found[table]:
            for column in its:
                row[column.name] = plain(row[column.name])
        found[table].sort(key=repr)
    return found


def plain(value: Any) -> Any:
    if isinstance(value, memoryview):
        return bytes(value)
    if isinstance(value, bool):
        return int(value)
    return str(value) if hasattr(value, "isoformat") else value


def said_of(url: str) -> list[str]:
    said: list[str] = []
    moving.move(url, said.append)
    return said


def test_all_rows_come_to_postgresql_and_back_to_another_file_as_they_were(postgresql: str, sqlite: str, tmp_path: Path) -> None:
    filled(sqlite)
    said = said_of(postgresql)
    there = rows_of(postgresql)
    assert all(there.values())
    assert there == rows_of(sqlite)
    assert f"accounts: {len(there['accounts'])}" in said
    open_database(postgresql)
    back = f"sqlite:///{tmp_path / 'back.sqlite'}"
    sums = moving.move(back, said.append)
    assert rows_of(back) == there
    assert {name: its.rows for name, its in sums.items() if name != "schema_migration"} == {
        name: len(rows) for name, rows in there.items()
    }


def test_new_rows_get_numbers_after_those_that_came(postgresql: str, sqlite: str) -> None:
    filled(sqlite)
    moving.move(postgresql, str)
    highest = max(row["id"] for row in rows_of(sqlite)["accounts"])
    open_database(postgresql)
    with db.connection_context():
        at = now()
        made = User.create(address="new@lycee.example", local="new", domain="lycee.example", created=at)
        assert made.id == highest + 1
    db.obj.close()


def test_a_table_that_is_empty_begins_with_one(postgresql: str, sqlite: str) -> None:
    open_database(sqlite)
    migrate()
    moving.move(postgresql, str)
    open_database(postgresql)
    with db.connection_context():
        assert User.create(address="a@b.example", local="a", domain="b.example", created=now()).id == 1
    db.obj.close()


def test_what_somebody_has_used_is_no_target(postgresql: str, sqlite: str, tmp_path: Path) -> None:
    filled(postgresql, 2)
    before = rows_of(postgresql)
    filled(sqlite, 2)
    with pytest.raises(moving.MoveError, match="the target is not empty: .* has rows"):
        moving.move(postgresql, str)
    assert rows_of(postgresql) == before


def test_a_target_of_other_migrations_is_refused(postgresql: str, sqlite: str) -> None:
    open_database(postgresql)
    migrate()
    with db.connection_context():
        db.execute_sql("DELETE FROM schema_migration WHERE name = '0111_files_on_drives'")
    db.obj.close()
    filled(sqlite, 2)
    with pytest.raises(moving.MoveError, match="0111_files_on_drives is in one alone"):
        moving.move(postgresql, str)


def test_the_same_kind_and_no_address_are_refused_in_words(sqlite: str, tmp_path: Path) -> None:
    filled(sqlite, 1)
    with pytest.raises(moving.MoveError, match="is no address of a database of PostgreSQL"):
        moving.move(f"sqlite:///{tmp_path / 'y.sqlite'}", str)
    with pytest.raises(moving.MoveError, match="is no address of a database"):
        moving.move("mongodb://x", str)
    with pytest.raises(moving.MoveError, match="does not exist|No such file"):
        moving.move("postgresql:///nothing?host=/nowhere", str)
    assert db.obj.database == str(tmp_path / "x.sqlite")
    assert not (tmp_path / "y.sqlite").exists()


def test_a_value_that_postgresql_has_no_room_for_stops_all_and_is_named(postgresql: str, sqlite: str) -> None:
    filled(sqlite, 2)
    with db.connection_context():
        Contact.update(name="x" * 500).execute()
    with pytest.raises(moving.MoveError, match=r"(?s)too long.*contacts"):
        moving.move(postgresql, str)
    assert not any(rows for table, rows in rows_of(postgresql).items() if table != "index_fills")


def test_nuls_are_left_out_as_in_all_that_is_written_to_postgresql(postgresql: str, sqlite: str) -> None:
    filled(sqlite, 1)
    with db.connection_context():
        User.update(name="Ali\0ce").execute()
    moving.move(postgresql, str)
    assert [row["name"] for row in rows_of(postgresql)["accounts"]] == ["Alice"]


_KILLED = """
import sys, time
from webmail import models
from webmail.database import moving
from webmail.database.connection import open_database
open_database(sys.argv[1])
def tell(words):
    print(words, flush=True)
    if words.startswith("contacts:"):
        time.sleep(60)
moving.move(sys.argv[2], tell)
"""


@pytest.mark.parametrize("to", ["postgresql", "file"])
def test_a_kill_half_way_leaves_an_empty_target_that_can_be_used_again(to: str, postgresql: str, sqlite: str) -> None:
    source, target = (sqlite, postgresql) if to == "postgresql" else (postgresql, sqlite)
    filled(source, 3)
    db.obj.close()
    before = rows_of(source)
    with subprocess.Popen(
        [sys.executable, "-c", _KILLED, source, target],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.getcwd()},
    ) as child:
        assert child.stdout is not None
        for line in child.stdout:
            if line.startswith("contacts:"):
                child.send_signal(signal.SIGKILL)
                break
    assert child.returncode == -signal.SIGKILL
    assert not any(rows for table, rows in rows_of(target).items() if table != "index_fills")
    assert rows_of(source) == before
    open_database(source)
    moving.move(target, str)
    assert rows_of(target) == before


def test_nobody_writes_to_the_file_meanwhile(postgresql: str, sqlite: str, tmp_path: Path) -> None:
    filled(sqlite, 2)
    refused: list[str] = []

    def write(_words: str) -> None:
        done = subprocess.run(
            [sys.executable, "-c", f"import sqlite3; sqlite3.connect({str(tmp_path / 'x.sqlite')!r}, timeout=0).execute('DELETE FROM accounts')"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        refused.append(done.stderr)

    shutil.copy(tmp_path / "x.sqlite", tmp_path / "before")
    told = iter([write])
    moving.move(postgresql, lambda words: next(told, str)(words))
    assert "locked" in refused[0]
