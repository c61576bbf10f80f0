"""Migrations: bring the database schema up to date."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import peewee as pw
from playhouse.migrations import Runner

from webmail.database import fold
from webmail.database.connection import db
from webmail.database.locks import LockBusyError, lock

MIGRATIONS = Path(__file__).parents[1] / "migrations"
_PATIENCE = 120.0  # seconds: a large table may take its time in another process


def _say_nothing(_text: str) -> None:
    pass


def migrate(tell: Callable[[str], object] = _say_nothing) -> list[str]:
    """Bring the database schema up to date; returns the names of the migrations applied. `tell` hears of each before it begins.

    Of several processes that start together one applies them, the others wait and find nothing left to do.
    """
    with db.connection_context():
        try:
            with lock("migrations", _PATIENCE):
                return apply(Runner(db.obj, str(MIGRATIONS)), tell)
        except LockBusyError as error:
            raise pw.OperationalError("another process has been migrating the database for two minutes") from error


def apply(runner: Runner, tell: Callable[[str], object]) -> list[str]:
    made = []
    if Path(runner.directory) == MIGRATIONS and fold.fits(runner.database):
        made = fold.make(runner)
        tell(f"made all tables of a new database, as {len(made)} migrations do")
    pending = [one.name for one in runner.status() if not one.applied]
    for number, name in enumerate(pending, 1):
        tell(f"applying {name} ({number} of {len(pending)})")
        runner.up(name)
    return [*made, *pending]
