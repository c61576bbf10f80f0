"""Tables of meetings: what was sent to whom, so that nothing is sent twice; how far inboxes were searched for
replies; who of their guests are to be reminded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import peewee as pw

from webmail.models.accounts import User
from webmail.models.base import Table, now
from webmail.models.collections.calendar import CalendarObject


class SentInvitation(Table):
    """What somebody was told of a meeting in a person's calendars: an invitation, a new version or a cancellation."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="sent_invitations", index=False)  # whose calendar it is in
    digest = pw.CharField(max_length=64)  # of what they were told (webmail/itip/messages.py)
    uid = pw.CharField(max_length=255)
    method = pw.CharField(max_length=12)
    recipient = pw.CharField(max_length=254)  # as addresses are compared
    batch = pw.CharField(max_length=32)  # the change that it tells of
    outbox = pw.BigIntegerField(default=0)  # the message that carries it; gone from there: it left long ago
    at = pw.DateTimeField(default=now, index=True)

    class Meta:
        table_name = "sent_invitations"
        indexes = ((("user", "digest"), True), (("user", "uid"), False), (("user", "batch"), False))


class ReplySearch(Table):
    """How far the inbox of somebody whose guests may still reply was searched for it: all below `uidnext`."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+", primary_key=True)
    uidvalidity = pw.BigIntegerField()
    uidnext = pw.BigIntegerField()
    at = pw.DateTimeField(default=now)

    class Meta:
        table_name = "reply_searches"


class GuestReminder(Table):
    """An event whose guests are reminded once if they have not replied by then: when that is due (seconds since 1970)."""

    object = pw.ForeignKeyField(CalendarObject, on_delete="CASCADE", backref="+", unique=True)
    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+", index=False)  # who wants it, and writes
    due = pw.BigIntegerField(index=True)
    seq = pw.BigIntegerField()  # of the event when that was reckoned
    if TYPE_CHECKING:
        object_id: int

    class Meta:
        table_name = "guest_reminders"
