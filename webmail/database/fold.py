"""Fold: the tables of a new database in one step, as the migrations up to then make them one after the other.

`webmail/migrations/folded/` has the statements of each kind of database and the names of the migrations that they stand for,
written by `python -m tests.support.folded`; those that came later are applied after it. An older database never meets it.
"""

from __future__ import annotations

from importlib import util
from pathlib import Path
from types import ModuleType

import peewee as pw
from playhouse.migrations import Runner

FOLDED = Path(__file__).parents[1] / "migrations" / "folded"
BY_ITSELF = "0049_trigrams"  # of PostgreSQL, and only where its extension can be had: no statement of a file


def folded_names() -> list[str]:
    """The migrations that the statements stand for."""
    return (FOLDED / "names.txt").read_text().split()


def fits(database: pw.Database) -> bool:
    """Whether nothing was ever in this database."""
    return not database.get_tables()


def make(runner: Runner) -> list[str]:
    """Make the tables, and note the migrations as applied; their names. One transaction."""
    database, names = runner.database, folded_names()
    with database.atomic():
        for statement in statements(database):
            database.execute_sql(statement)
        if isinstance(database, pw.PostgresqlDatabase):
            _module(Path(runner.directory) / f"{BY_ITSELF}.py").up(runner.migrator, database)
        runner.History.create_table()
        runner.History.insert_many([{"name": name} for name in names]).execute()
    return names


def statements(database: pw.Database) -> list[str]:
    """Those of this kind of database, in their order."""
    kind = "postgresql" if isinstance(database, pw.PostgresqlDatabase) else "sqlite"
    return [line for line in (FOLDED / f"{kind}.sql").read_text().split(";\n") if line.strip()]


def _module(path: Path) -> ModuleType:
    spec = util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
