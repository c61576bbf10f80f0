"""Tables of reminders: when the next of each event is due, which ones stand on pages, and when a person's daily agenda is due."""

from __future__ import annotations

from typing import TYPE_CHECKING

import peewee as pw

from webmail.models.accounts import User
from webmail.models.base import Table, now
from webmail.models.collections import CalendarObject


class NextReminder(Table):
    """Of an event with alarms: when one is due next. All up to `upto` is done. Both in seconds since 1970."""

    object = pw.ForeignKeyField(CalendarObject, on_delete="CASCADE", backref="+", unique=True)
    due = pw.BigIntegerField(default=0, index=True)  # 0: to be found by a worker
    upto = pw.BigIntegerField()
    if TYPE_CHECKING:
        object_id: int

    class Meta:
        table_name = "next_reminders"


class ShownReminder(Table):
    """A reminder that stands on a person's pages from `since` on, until they are done with it."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="reminders", index=False)
    object = pw.ForeignKeyField(CalendarObject, on_delete="CASCADE", backref="+")
    recurrence_id = pw.CharField(max_length=40, default="")
    due = pw.BigIntegerField()  # the alarm's own time, in seconds since 1970
    since = pw.DateTimeField(default=now)  # later than that, where the person asked for it
    if TYPE_CHECKING:
        user_id: int
        object_id: int

    class Meta:
        table_name = "shown_reminders"
        indexes = ((("user", "object", "recurrence_id"), True), (("user", "since"), False))


class DailyAgenda(Table):
    """A person who wants the day's events by mail, and when the next such mail is due."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="daily_agendas", unique=True)
    due = pw.DateTimeField(index=True)
    if TYPE_CHECKING:
        user_id: int

    class Meta:
        table_name = "daily_agendas"
