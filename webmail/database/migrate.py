"""Migrations: bring the database to the present shape."""

from __future__ import annotations

from pathlib import Path

from playhouse.migrations import Runner

from webmail.database.connection import db

MIGRATIONS = Path(__file__).parents[1] / "migrations"


def migrate() -> list[str]:
    """Bring the database to the present shape; returns the names of the migrations applied."""
    with db.connection_context():
        return Runner(db.obj, str(MIGRATIONS)).up()
