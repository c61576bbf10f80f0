"""Tables of polls for a date: what is asked, the dates to choose from, and who answered what.

Public addresses are not in these tables: as those of transfers, they are drawn from a row's `nonce` and the instance's secret.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import peewee as pw

from webmail.models.accounts import User
from webmail.models.base import Table, now


class Poll(Table):
    """A question for a date, with a page for everybody who has its link."""

    owner = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+")
    nonce = pw.CharField(max_length=32)
    link_hash = pw.CharField(max_length=64, unique=True)
    title = pw.CharField(max_length=200)
    location = pw.CharField(max_length=300, default="")
    note = pw.TextField(default="")
    zone = pw.CharField(max_length=64)  # of its dates, for everybody: the organiser's when it was made
    closes = pw.DateTimeField(null=True)  # after its last day; none: with the last date
    hidden = pw.IntegerField(default=0)  # 1: voters do not see each other's votes
    comments = pw.IntegerField(default=1)  # 1: voters may write something
    ends = pw.DateTimeField(index=True)  # when the last date is over
    chosen_id = pw.BigIntegerField(null=True)  # the option that was chosen
    event_uid = pw.CharField(max_length=64, default="")  # of the event that was begun for it
    created = pw.DateTimeField(default=now)
    closed = pw.DateTimeField(null=True)  # by its organiser
    removed = pw.DateTimeField(null=True, index=True)  # deleted, as long as that can be undone
    forgotten = pw.IntegerField(default=0)  # 1: names and addresses of people without an account were deleted
    if TYPE_CHECKING:
        owner_id: int

    class Meta:
        table_name = "polls"


class PollOption(Table):
    """A date to choose. One that was removed stays, so that what was answered to it counts again if it comes back."""

    poll = pw.ForeignKeyField(Poll, on_delete="CASCADE", backref="+", index=False)
    start = pw.DateTimeField()
    minutes = pw.IntegerField()  # how long; 0: the whole day, in the poll's zone
    removed = pw.DateTimeField(null=True)
    if TYPE_CHECKING:
        poll_id: int

    class Meta:
        table_name = "poll_options"
        indexes = ((("poll", "start", "minutes"), True),)


class PollVoter(Table):
    """Somebody's whole answer in one row: that of a colleague (`user`), or of whoever had the link, by the name they typed."""

    poll = pw.ForeignKeyField(Poll, on_delete="CASCADE", backref="+", index=False)
    user = pw.ForeignKeyField(User, on_delete="CASCADE", null=True, backref="+")
    name = pw.CharField(max_length=120, default="")
    address = pw.CharField(max_length=254, default="")
    nonce = pw.CharField(max_length=32)
    link_hash = pw.CharField(max_length=64, unique=True)  # of the link by which they change it
    language = pw.CharField(max_length=5, default="")
    answers = pw.TextField(default="{}")  # JSON: y (yes), m (if need be) or n (no), by the option's id
    comment = pw.TextField(default="")
    created = pw.DateTimeField(default=now)
    changed = pw.DateTimeField(default=now)
    removed = pw.DateTimeField(null=True)  # taken back, or by the organiser
    if TYPE_CHECKING:
        poll_id: int
        user_id: int | None

    class Meta:
        table_name = "poll_voters"
        indexes = ((("poll", "user"), True),)
