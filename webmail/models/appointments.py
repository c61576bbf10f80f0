"""Tables of appointments: what people without an account may book, with whom and when, and who booked it.

Addresses of pages that need no account are drawn from a row's `nonce` and the instance's secret (webmail/transfers/links.py).
That nobody has the same time as somebody else is a unique row for each place of a slot: whoever comes second can't write theirs.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

import peewee as pw

from webmail.models.accounts import User
from webmail.models.base import Table, now
from webmail.models.collections.rooms import Resource


class BookingState(StrEnum):
    """How far a booking has come. Only the first two have a place."""

    HELD = "held"  # until it is confirmed, or its time is over
    BOOKED = "booked"
    LAPSED = "lapsed"  # it was not confirmed in time
    CANCELLED = "cancelled"
    ASKED = "asked"  # for the waiting list, and not confirmed yet
    WAITING = "waiting"  # on the waiting list


class AppointmentOffer(Table):
    """Appointments that somebody offers, such as a parents' evening or office hours."""

    owner = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+")
    nonce = pw.CharField(max_length=32)
    link_hash = pw.CharField(max_length=64, unique=True)
    title = pw.CharField(max_length=200)
    message = pw.TextField(default="")
    location = pw.CharField(max_length=300, default="")
    resource: Any = pw.ForeignKeyField(Resource, null=True, on_delete="SET NULL", backref="+")  # booked with each
    capacity = pw.IntegerField(default=1)  # bookings of one slot
    most = pw.IntegerField(default=1)  # bookings of one address; 0: as many as they like
    fields = pw.CharField(max_length=200, default="")  # which are asked for: "child class"
    question = pw.CharField(max_length=200, default="")  # one in the owner's words
    notice = pw.IntegerField(default=0)  # hours before a slot at which it can no longer be booked
    ahead = pw.IntegerField(default=0)  # days before a slot from which on it can be booked; 0: at once
    cancel_notice = pw.IntegerField(default=0)  # hours before a slot at which it can no longer be moved or given back
    waiting = pw.IntegerField(default=0)  # 1: with a waiting list
    remind = pw.IntegerField(default=1)  # 1: who booked is reminded the day before
    ends = pw.BigIntegerField(index=True)  # of the last slot, in seconds since 1970
    closed = pw.DateTimeField(null=True)  # since when nobody can book
    cancelled = pw.DateTimeField(null=True)  # since when none takes place
    cancel_note = pw.TextField(default="")  # what those who booked are told then
    forgotten = pw.DateTimeField(null=True)  # since when nobody knows who booked
    created = pw.DateTimeField(default=now)
    if TYPE_CHECKING:
        owner_id: int
        resource_id: int | None

    class Meta:
        table_name = "appointment_offers"


class AppointmentHost(Table):
    """Whose appointments they are. `agreed`: since when; until then theirs are not shown."""

    offer = pw.ForeignKeyField(AppointmentOffer, on_delete="CASCADE", backref="+", index=False)
    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+")
    agreed = pw.DateTimeField(null=True)
    if TYPE_CHECKING:
        offer_id: int
        user_id: int

    class Meta:
        table_name = "appointment_hosts"
        indexes = ((("offer", "user"), True),)


class AppointmentSlot(Table):
    """A time of one host, in seconds since 1970. `uid`: of its event in their calendar; `stale`: which is to be written again."""

    offer = pw.ForeignKeyField(AppointmentOffer, on_delete="CASCADE", backref="+", index=False)
    host = pw.ForeignKeyField(AppointmentHost, on_delete="CASCADE", backref="+", index=False)
    start = pw.BigIntegerField()
    end = pw.BigIntegerField()
    uid = pw.CharField(max_length=100, index=True)
    stale = pw.IntegerField(default=0, index=True)
    freed = pw.IntegerField(default=0, index=True)  # 1: those who wait are to be told
    removed = pw.IntegerField(default=0)  # 1: the host takes nobody then
    if TYPE_CHECKING:
        offer_id: int
        host_id: int

    class Meta:
        table_name = "appointment_slots"
        indexes = ((("host", "start"), True), (("offer", "start"), False))


class AppointmentBooking(Table):
    """Somebody's place in a slot, or on the waiting list, where it has neither. `position`: which place; null: none any more."""

    offer = pw.ForeignKeyField(AppointmentOffer, on_delete="CASCADE", backref="+", index=False)
    slot: Any = pw.ForeignKeyField(AppointmentSlot, null=True, on_delete="CASCADE", backref="+", index=False)
    position = pw.IntegerField(null=True)
    state = pw.CharField(max_length=10, default=BookingState.HELD)
    until = pw.DateTimeField(null=True)  # how long it is held
    name = pw.CharField(max_length=200)
    address = pw.CharField(max_length=254)  # as addresses are compared
    answers = pw.TextField(default="{}")  # JSON, by field
    language = pw.CharField(max_length=5, default="")
    nonce = pw.CharField(max_length=32)
    link_hash = pw.CharField(max_length=64, unique=True)
    sequence = pw.IntegerField(default=0)  # of the event that they were mailed
    earlier = pw.IntegerField(default=0)  # 1: wants to be told of an earlier slot
    reminded = pw.IntegerField(default=0)
    outdated = pw.IntegerField(default=0, constraints=[pw.SQL("DEFAULT 0")])  # 1: is to be told of another title or place
    counted = pw.CharField(max_length=200, default="")  # the use of a limit that its confirmation gives back
    created = pw.DateTimeField(default=now)
    confirmed = pw.DateTimeField(null=True)
    if TYPE_CHECKING:
        offer_id: int
        slot_id: int | None

    class Meta:
        table_name = "appointment_bookings"
        indexes = ((("slot", "position"), True), (("offer", "state"), False), (("state", "until"), False))
