"""Base of the tables: `Table`, which binds a model to the database, and `now`, the one kind of time that tables hold."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import peewee as pw

from webmail.database.connection import db


def now() -> datetime:
    """UTC, naive: the one kind of time the tables hold."""
    return datetime.now(UTC).replace(tzinfo=None)


class Table(pw.Model):
    if TYPE_CHECKING:
        id: Any  # peewee adds it

    class Meta:
        database = db
        legacy_table_names = False
