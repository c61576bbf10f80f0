"""Tables of reminders: when the next of each event is due, which ones stand on pages, and when a person's daily agenda is due;
and of forms of events that wait."""

from __future__ import annotations

from typing import TYPE_CHECKING

import peewee as pw

from webmail.models.accounts import User
from webmail.models.base import Table, now
from webmail.models.collections.calendar import CalendarObject


class NextReminder(Table):
    """Of an event with alarms: when one is due next. All up to `upto` is done. Both in seconds since 1970."""

    object = pw.ForeignKeyField(CalendarObject, on_delete="CASCADE", backref="+", unique=True)
    due = pw.BigIntegerField(default=0, index=True)  # 0: to be found by a worker
    upto = pw.BigIntegerField()
    owner = pw.IntegerField(
        null=True
    )  # whose calendar it is in (`id`), as pages ask; the worker, who looks it up, keeps it right
    if TYPE_CHECKING:
        object_id: int

    class Meta:
        table_name = "next_reminders"
        indexes = ((("owner", "due"), False),)


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


class KeptEventForm(Table):
    """A form of an event that waits while its writer sends a file on another page, by a random `id`."""

    id = pw.CharField(max_length=32, primary_key=True)
    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+")
    path = pw.CharField(max_length=600)  # of the form's page, with its query
    fields = pw.TextField()  # JSON: [[name, value], ...]
    at = pw.DateTimeField(default=now, index=True)
    if TYPE_CHECKING:
        user_id: int

    class Meta:
        table_name = "kept_event_forms"
