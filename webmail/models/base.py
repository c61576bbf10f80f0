"""Model base: `Table`, which binds a model to the database, and `now`, naive UTC as in all tables."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import peewee as pw

from webmail.database.connection import db


def now() -> datetime:
    """The current time as tables store it: naive UTC."""
    return datetime.now(UTC).replace(tzinfo=None)


class Table(pw.Model):
    if TYPE_CHECKING:
        id: Any  # peewee adds it

    class Meta:
        database = db
        legacy_table_names = False
