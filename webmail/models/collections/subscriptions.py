"""Tables of calendars that come from an address elsewhere, and of those that go out by an address of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import peewee as pw

from webmail.models.accounts import User
from webmail.models.base import Table, now
from webmail.models.collections.collections import Collection


class CalendarSubscription(Table):
    """A calendar that is fetched from an address (subscriptions.py). Only we write its collection."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="calendar_subscriptions")
    collection = pw.ForeignKeyField(Collection, on_delete="CASCADE", backref="+", unique=True)
    secret = pw.BlobField()  # the address, sealed: some let anybody in who knows them
    host = pw.CharField(max_length=253)
    etag = pw.CharField(max_length=500, default="")  # of the last answer; "" where it was not taken in whole
    modified = pw.CharField(max_length=100, default="")
    digest = pw.CharField(max_length=64, default="")  # SHA-256 of what was taken in whole
    busy = pw.IntegerField(default=0)  # 1: what is in it takes time of the person
    due = pw.DateTimeField(default=now, index=True)
    working = pw.IntegerField(default=0)
    failures = pw.IntegerField(default=0)
    tried = pw.DateTimeField(null=True)
    succeeded = pw.DateTimeField(null=True)
    error = pw.CharField(max_length=20, default="")
    error_host = pw.CharField(max_length=253, default="")  # to which the server sent us on
    left = pw.IntegerField(default=0)  # how many are not shown, or once alone
    notes = pw.TextField(default="[]")  # JSON: the first of them, [FileRemarkKind, title]
    created = pw.DateTimeField(default=now)
    if TYPE_CHECKING:
        user_id: int
        collection_id: int

    class Meta:
        table_name = "calendar_subscriptions"


class CalendarLink(Table):
    """An address by which anybody who knows it can read a calendar: for programs ("feed"), or as a page ("page")."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="calendar_links")  # the owner of the calendar
    collection = pw.ForeignKeyField(Collection, on_delete="CASCADE", backref="+")
    token_hash = pw.CharField(max_length=64, unique=True)
    kind = pw.CharField(max_length=4)
    whole = pw.IntegerField(default=0)  # 0: busy times alone
    used = pw.DateTimeField(null=True)
    hour = pw.IntegerField(default=0)  # of the latest request, since 1970
    asked = pw.IntegerField(default=0)  # how often in this hour
    made_by = pw.CharField(max_length=254, default="")  # the address of who made it, where that was not the owner
    created = pw.DateTimeField(default=now)
    if TYPE_CHECKING:
        user_id: int
        collection_id: int

    class Meta:
        table_name = "calendar_links"


class PublishedTimes(Table):
    """Busy times that somebody outside publishes, as fetched for a person who has their address (FBURL) in a contact."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+", index=False)
    digest = pw.CharField(max_length=64)  # of the address
    url = pw.TextField()
    wanted = pw.BigIntegerField(default=0, index=True)  # seconds since 1970: to be fetched from then on; 0: no
    tried = pw.BigIntegerField(default=0)
    fetched = pw.BigIntegerField(default=0)
    error = pw.CharField(max_length=20, default="")  # of the latest try
    first = pw.BigIntegerField(default=0)  # what the times are about, 0 for no bound
    last = pw.BigIntegerField(default=0)
    spans = pw.TextField(default="[]")  # JSON: [start, end, level]

    class Meta:
        table_name = "published_times"
        indexes = ((("user", "digest"), True),)
