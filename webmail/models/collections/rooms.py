"""Tables of rooms and things that people book with an event, and when they are booked.

That nobody else has one at the same time is a unique row for each five minutes: whoever comes second can't write theirs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import peewee as pw

from webmail.models.accounts import User
from webmail.models.base import Table, now
from webmail.models.collections.calendar import CalendarObject

STEP = 300  # seconds that a row stands for


class Resource(Table):
    """A room, or a thing such as a projector, as administrators describe it. Events invite it by its address."""

    address = pw.CharField(max_length=320, unique=True)  # in lower case; no mailbox has it
    name = pw.CharField(max_length=200)
    sort = pw.CharField(max_length=200, default="", index=True)
    kind = pw.CharField(max_length=10, default="room")  # or "thing"
    capacity = pw.IntegerField(default=0)  # people; 0: not said
    copies = pw.IntegerField(default=1)  # how many there are that are alike
    equipment = pw.TextField(default="")  # a line each
    site = pw.CharField(max_length=200, default="")
    bookers = pw.TextField(default="")  # identifiers of the groups whose people may book it, a line each; "": everybody
    days_ahead = pw.IntegerField(default=0)  # how long before, at most; 0: whenever
    hours_notice = pw.IntegerField(default=0)  # how long before, at least
    longest = pw.IntegerField(default=0)  # minutes; 0: as long as they want
    approval = pw.IntegerField(default=0)  # whether somebody has to agree
    approver = pw.ForeignKeyField(User, null=True, on_delete="SET NULL", backref="+")  # null: any administrator
    closed = pw.IntegerField(default=0)  # it takes no new bookings
    if TYPE_CHECKING:
        approver_id: int | None

    class Meta:
        table_name = "resources"


class ResourceUse(Table):
    """A room or thing that an event asks for, whether it was given or not. `user`: who booked it."""

    object = pw.ForeignKeyField(CalendarObject, on_delete="CASCADE", backref="+", index=False)
    resource = pw.ForeignKeyField(Resource, on_delete="CASCADE", backref="+")
    user = pw.ForeignKeyField(User, null=True, on_delete="SET NULL", backref="+")
    booked_until = pw.BigIntegerField(default=0)  # up to when a series was looked at, in seconds since 1970
    refused = pw.IntegerField(default=0)  # whoever had to agree said no
    if TYPE_CHECKING:
        object_id: int
        resource_id: int
        user_id: int | None

    class Meta:
        table_name = "resource_uses"
        indexes = ((("object", "resource"), True), (("booked_until",), False))


class ResourceBooking(Table):
    """One time at which an event has a room or thing, in seconds since 1970. `position`: which of those that are alike."""

    use = pw.ForeignKeyField(ResourceUse, on_delete="CASCADE", backref="+")
    resource = pw.ForeignKeyField(Resource, on_delete="CASCADE", backref="+", index=False)
    start = pw.BigIntegerField()
    end = pw.BigIntegerField()
    position = pw.IntegerField(default=0)
    recurrence_id = pw.CharField(max_length=40, default="")
    pending = pw.IntegerField(default=0)  # somebody has to agree first; nobody else gets it meanwhile
    if TYPE_CHECKING:
        use_id: int
        resource_id: int

    class Meta:
        table_name = "resource_bookings"
        indexes = ((("resource", "start", "end"), False), (("pending", "resource"), False), (("pending", "start"), False))


class ResourceSlot(Table):
    """Five minutes of one booking, by their number since 1970 in UTC: no two bookings have the same ones."""

    resource = pw.ForeignKeyField(Resource, on_delete="CASCADE", backref="+", index=False)
    position = pw.IntegerField()
    slot = pw.BigIntegerField()
    booking = pw.ForeignKeyField(ResourceBooking, on_delete="CASCADE", backref="+")

    class Meta:
        table_name = "resource_slots"
        indexes = ((("resource", "position", "slot"), True),)


class RoomNotice(Table):
    """What somebody is to be told by mail of a use: that it waits for them, or that it was approved or refused."""

    use = pw.ForeignKeyField(ResourceUse, on_delete="CASCADE", backref="+", index=False)
    kind = pw.CharField(max_length=10)  # "asked", "approved" or "refused"
    by = pw.ForeignKeyField(User, null=True, on_delete="SET NULL", backref="+")  # who decided
    note = pw.TextField(default="")
    times = pw.TextField(default="")  # what was decided of, as JSON: seconds since 1970
    at = pw.DateTimeField(default=now)
    if TYPE_CHECKING:
        use_id: int

    class Meta:
        table_name = "room_notices"
        indexes = ((("use", "kind"), True),)
