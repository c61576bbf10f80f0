"""Table of what is to be done, as lists and reminders look for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import peewee as pw

from webmail.models.base import Table
from webmail.models.collections.calendar import FOR_EVER, CalendarObject
from webmail.models.collections.collections import Collection


class Todo(Table):
    """What is to be done, as its object says: all here is derived from that. Times are in seconds since 1970, those of whole days
    midnight UTC."""

    object = pw.ForeignKeyField(CalendarObject, on_delete="CASCADE", backref="+", unique=True)
    collection = pw.ForeignKeyField(Collection, on_delete="CASCADE", backref="+", index=False)
    title = pw.CharField(max_length=300, default="")
    due = pw.BigIntegerField(default=FOR_EVER)  # FOR_EVER: on no day
    whole_day = pw.IntegerField(default=0)
    start = pw.BigIntegerField(null=True)
    done = pw.IntegerField(default=0)
    completed = pw.BigIntegerField(default=0)
    priority = pw.IntegerField(default=10)  # 1: the highest, 10: none
    percent = pw.IntegerField(default=0)
    repeats = pw.IntegerField(default=0)
    parent = pw.CharField(max_length=255, default="")  # a UID
    message = pw.CharField(max_length=64, default="")  # SHA-256 of the Message-ID that it comes from
    private = pw.IntegerField(default=0)
    position = pw.BigIntegerField(default=0)  # as programs sort by hand
    if TYPE_CHECKING:
        object_id: int
        collection_id: int

    class Meta:
        table_name = "todos"
        indexes = (
            (("collection", "done", "due"), False),
            (("collection", "parent"), False),
            (("message",), False),
        )
