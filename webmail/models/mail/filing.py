"""Filing tables: what a person files by hand again and again, and how much they marked as junk or not."""

from __future__ import annotations

import peewee as pw

from webmail.models.accounts import User
from webmail.models.base import Table, now


class MoveHabit(Table):
    """How many times in a row messages of this sender or list were moved to this mailbox (webmail/filters/move_habits.py)."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="move_habits")
    field = pw.CharField(max_length=10)  # "from" or "list", as in a filter
    value = pw.CharField(max_length=254)  # an address or the identifier of a list, lower case
    mailbox = pw.TextField()
    times = pw.IntegerField(default=1)
    never = pw.BooleanField(default=False)  # no filter is suggested for it any more
    last = pw.DateTimeField(default=now)

    class Meta:
        table_name = "move_habits"
        indexes = ((("user", "field", "value"), True),)


class JunkWeek(Table):
    """How many messages somebody marked as junk, and as not junk, in a week."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="junk_weeks")
    monday = pw.DateField()  # UTC
    junk = pw.IntegerField(default=0)
    ham = pw.IntegerField(default=0)

    class Meta:
        table_name = "junk_weeks"
        indexes = ((("user", "monday"), True),)
