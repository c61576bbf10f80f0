"""A new database, made in one step, is what all migrations make of an empty one; older ones are brought up to date as ever."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import peewee as pw
import pytest
from playhouse.migrations import Migration, Runner

from tests.support.any_rows import columns, content, fill, is_postgresql
from tests.support.postgresql import database_without_tables, programs, server_url
from tests.unit.database.test_migrations import CHANGED, EMPTIED, NAMES
from webmail.database import fold
from webmail.database.connection import db, open_database
from webmail.database.migrate import MIGRATIONS, apply

OLDEST = "c46ce46c"  # the commit from whose database an update must work
OLDEST_LAST = "0050_paused_app_passwords"  # its last migration


@pytest.fixture
def database(empty_database: str) -> Iterator[pw.Database]:
    open_database(empty_database)
    with db.connection_context():
        yield db.obj
    db.obj.close()


def schema_of_sqlite(database: pw.Database) -> list[tuple[str, str, str]]:
    rows = database.execute_sql("SELECT type, name, sql FROM sqlite_master ORDER BY type, name").fetchall()
    return [(kind, name, " ".join((sql or "").split())) for kind, name, sql in rows]


def schema_of_postgresql(url: str) -> list[str]:
    """As pg_dump tells it: names, types, defaults, sequences, keys, references, indexes."""
    where = programs()
    assert where is not None
    said = subprocess.run(
        [where / "pg_dump", "--schema-only", "--no-owner", url], check=True, capture_output=True, text=True
    ).stdout
    return sorted(
        line for line in said.splitlines() if line and not line.startswith(("--", "\\restrict", "\\unrestrict", "SET "))
    )


def test_sqlite_is_as_all_migrations_make_it(tmp_path: Path) -> None:
    found: list[Any] = []
    for name in ("folded", "migrated"):
        opened = open_database(f"sqlite:///{tmp_path / name}")
        with db.connection_context():
            runner = Runner(opened, str(MIGRATIONS))
            assert sorted(apply(runner, str) if name == "folded" else runner.up()) == NAMES
            found.append((schema_of_sqlite(opened), content(opened), set(runner.applied())))
        opened.close()
    assert found[0] == found[1]


@pytest.mark.postgresql
def test_postgresql_is_as_all_migrations_make_it() -> None:
    if not server_url():
        pytest.skip("no PostgreSQL server")
    found: list[Any] = []
    for name in ("folded", "migrated"):
        with database_without_tables() as url:
            opened = open_database(url)
            with db.connection_context():
                runner = Runner(opened, str(MIGRATIONS))
                assert sorted(apply(runner, str) if name == "folded" else runner.up()) == NAMES
                found.append((content(opened), set(runner.applied())))
            opened.close()
            found[-1] = (schema_of_postgresql(url), *found[-1])
    assert found[0] == found[1]


def test_it_stands_for_migrations_that_there_are() -> None:
    assert set(fold.folded_names()) <= set(NAMES)


def test_what_was_begun_is_not_folded(database: pw.Database) -> None:
    runner = Runner(database, str(MIGRATIONS))
    runner.up(NAMES[2])
    said: list[str] = []
    assert apply(runner, said.append) == NAMES[3:]
    assert said[0].startswith(f"applying {NAMES[3]}")


def test_a_fault_half_way_leaves_nothing(database: pw.Database, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = fold.statements(database)
    runner = Runner(database, str(MIGRATIONS))
    with monkeypatch.context() as patch:
        patch.setattr(fold, "statements", lambda _database: [*whole[:5], "nonsense"])
        with pytest.raises(pw.DatabaseError):
            fold.make(runner)
    assert database.get_tables() == []
    assert fold.make(runner) == fold.folded_names()


def test_the_oldest_database_is_brought_up_to_date_with_all_its_rows(database: pw.Database, tmp_path: Path) -> None:
    """That of `OLDEST`, by its own migrations where the history of the repository has them."""
    before = _migrations_of_then(tmp_path)
    Runner(database, str(before)).up(OLDEST_LAST)
    with database.atomic():
        fill(database, Random(5), 5)
    then, known = content(database), columns(database)
    applied = apply(Runner(database, str(MIGRATIONS)), str)
    assert applied == [
        name
        for name in NAMES
        if name not in {one.name for one in Migration.load_directory(str(before)) if one.name <= OLDEST_LAST}
    ]
    now = content(database)
    changed: dict[str, set[str]] = {}
    for name, table in [*CHANGED, *EMPTIED]:
        if name in applied:
            changed.setdefault(table, set()).update(CHANGED.get((name, table)) or set())
    emptied = {table for name, table in EMPTIED if name in applied}
    for table, rows in then.items():
        if table in emptied:
            continue
        same = [
            column.name for column in known[table] if column.name not in changed.get(table, ()) and column.name in now[table][0]
        ]
        left = {repr([row[column] for column in same]) for row in now[table]}
        assert [row for row in rows if repr([row[column] for column in same]) not in left] == [], table
    if not is_postgresql(database):
        assert database.execute_sql("PRAGMA foreign_key_check").fetchall() == []


def _migrations_of_then(folder: Path) -> Path:
    root = MIGRATIONS.parents[1]
    taken = subprocess.run(["git", "-C", str(root), "archive", OLDEST, "webmail/migrations"], check=False, capture_output=True)
    if taken.returncode:  # a package has no history; the migrations of then are among those of now
        return MIGRATIONS
    subprocess.run(["tar", "-x", "-C", str(folder)], check=True, input=taken.stdout)
    then = folder / "webmail/migrations"
    for file in then.glob("[0-9]*.py"):  # two import from modules that are called otherwise now; they do the same
        now = (MIGRATIONS / file.name).read_text()
        assert _without_imports(file.read_text()) == _without_imports(now), file.name
        file.write_text(now)
    return then


def _without_imports(text: str) -> list[str]:
    return [line for line in text.splitlines() if not line.startswith(("from ", "import "))]
