"""Undo table: the steps by which actions of all areas are taken back, see database/undo_store.py."""

from __future__ import annotations

from typing import TYPE_CHECKING

import peewee as pw

from webmail.models.accounts import User
from webmail.models.base import Table, now


class Undo(Table):
    """Steps to undo an action, claimed by a random `id` (database/undo_store.py)."""

    id = pw.CharField(max_length=32, primary_key=True)
    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="undos")
    steps = pw.TextField()  # JSON, defined by the area that stored it, such as mailbox/undo.py
    created = pw.DateTimeField(default=now, index=True)
    if TYPE_CHECKING:
        user_id: int
