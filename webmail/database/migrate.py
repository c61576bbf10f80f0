"""Migrations: bring the database schema up to date."""

from __future__ import annotations

from pathlib import Path

import peewee as pw
from playhouse.migrations import Runner

from webmail.database.connection import db
from webmail.database.locks import LockBusy, lock

MIGRATIONS = Path(__file__).parents[1] / "migrations"
_PATIENCE = 120.0  # seconds: a large table may take its time in another process


def migrate() -> list[str]:
    """Bring the database schema up to date; returns the names of the migrations applied.

    Of several processes that start together one applies them, the others wait and find nothing left to do.
    """
    with db.connection_context():
        try:
            with lock("migrations", _PATIENCE):
                return Runner(db.obj, str(MIGRATIONS)).up()
        except LockBusy as error:
            raise pw.OperationalError("another process has been migrating the database for two minutes") from error
