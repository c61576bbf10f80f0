"""Calendar tables: events and when they take place, and the calendar of birthdays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import peewee as pw

from webmail.models.accounts import User
from webmail.models.base import Table, now
from webmail.models.collections.collections import Collection

FOR_EVER = 2**53  # seconds since 1970: a recurrence that does not end


class CalendarObject(Table):
    """An event with all its exceptions, a task or a journal entry. `text` is what was sent; all else is derived from it."""

    collection = pw.ForeignKeyField(Collection, on_delete="CASCADE", backref="objects", index=False)
    href = pw.CharField(max_length=255)
    uid = pw.CharField(max_length=255)
    component = pw.CharField(max_length=10)
    etag = pw.CharField(max_length=64)  # SHA-256
    size = pw.IntegerField()  # bytes
    first = pw.BigIntegerField()  # when it begins, in seconds since 1970; tasks: they are always candidates
    last = pw.BigIntegerField()  # when it ends at the latest, or FOR_EVER
    recurring = pw.IntegerField(default=0)  # 2: it has rules that are not expanded, and is shown once
    busy = pw.IntegerField(default=0)  # whether it takes time of its owner
    indexed_from = pw.BigIntegerField(default=0)  # between these the table of occurrences has all of it
    indexed_until = pw.BigIntegerField(default=0)
    seq = pw.BigIntegerField()
    created = pw.DateTimeField(default=now)
    modified = pw.DateTimeField(default=now)
    words = pw.TextField(default="")  # folded, with a space before each: what it is found by
    public_etag = pw.CharField(max_length=64, null=True)  # the etag of the text in which nothing was found to be private
    # the etag, and that of the version since which only guests have answered (Schedule-Tag); null, or another etag: its own
    schedule_tag = pw.CharField(max_length=130, null=True)
    text = pw.TextField()
    if TYPE_CHECKING:
        collection_id: int

    class Meta:
        table_name = "calendar_objects"
        indexes = (
            (("collection", "href"), True),
            (("collection", "uid"), True),
            (("collection", "seq"), False),
            (("collection", "first", "last"), False),
            (("recurring", "indexed_until"), False),
        )


class Occurrence(Table):
    """When an event takes place. Of a day without hours: midnight UTC."""

    object = pw.ForeignKeyField(CalendarObject, on_delete="CASCADE", backref="occurrences")
    collection = pw.ForeignKeyField(Collection, on_delete="CASCADE", backref="+", index=False)
    start = pw.BigIntegerField()
    end = pw.BigIntegerField()
    whole_day = pw.IntegerField(default=0)
    recurrence_id = pw.CharField(max_length=40, default="")
    summary = pw.CharField(max_length=300, default="")
    location = pw.CharField(max_length=300, default="")
    busy = pw.IntegerField(default=0)  # 0: free, 1: tentatively, 2: busy
    status = pw.CharField(max_length=12, default="")
    private = pw.IntegerField(null=True)  # whether it says so; null: as the object does

    class Meta:
        table_name = "occurrences"
        indexes = ((("collection", "start", "end", "whole_day", "busy"), False),)


class BirthdayCalendar(Table):
    """What is known of a person's calendar of birthdays, once their contacts were looked at (webmail/calendar/birthdays.py)."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="birthday_calendars", unique=True)
    collection = pw.ForeignKeyField(Collection, null=True, on_delete="SET NULL", backref="+")  # made with the first birthday
    language = pw.CharField(max_length=5, default="")  # of its words
    wanted = pw.IntegerField(default=1)
    upto = pw.BigIntegerField(default=0)  # it has the contacts up to this `id`; FOR_EVER: all
    if TYPE_CHECKING:
        user_id: int
        collection_id: int | None

    class Meta:
        table_name = "birthday_calendars"
