"""Tables of meetings: what was sent to whom, so that nothing is sent twice; who of their guests are to be reminded; what people's
devices are told."""

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


class AutomaticAnswer(Table):
    """An invitation that was declined or pencilled in by itself, once, as the person chose. `kind` and `reason`:
    `webmail/calendar/guests/automatic_rows.py`; `owed`: 1 while their organiser has not been written to."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+", index=False)
    uid = pw.CharField(max_length=255)
    kind = pw.CharField(max_length=12)
    reason = pw.CharField(max_length=12, default="")
    owed = pw.IntegerField(default=0)
    at = pw.DateTimeField(default=now, index=True)

    class Meta:
        table_name = "automatic_answers"
        indexes = ((("user", "uid"), True),)


class SchedulingMessage(Table):
    """What somebody was sent about a meeting, for their telephones and programs (RFC 6638, 2.2), until these delete it."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+", index=False)
    digest = pw.CharField(max_length=64)  # of what they are told, and names it for devices
    uid = pw.CharField(max_length=255)
    method = pw.CharField(max_length=12)
    text = pw.TextField()
    outbox = pw.BigIntegerField(default=0)  # the message that carries it too; 0: none
    at = pw.DateTimeField(default=now, index=True)

    class Meta:
        table_name = "scheduling_messages"
        indexes = ((("user", "digest"), True), (("outbox",), False))


class GuestLink(Table):
    """What a guest without an account here was sent of a meeting, and the link by which they see it and answer."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+", index=False)  # whose calendar it is in
    uid = pw.CharField(max_length=255)
    recipient = pw.CharField(max_length=254)  # as addresses are compared
    nonce = pw.CharField(max_length=32)  # the link is drawn from it (webmail/transfers/links.py)
    link_hash = pw.CharField(max_length=64, unique=True)
    text = pw.TextField()  # the event as they know it, without METHOD
    ends = pw.BigIntegerField(index=True)  # when nothing of it comes any more, in seconds since 1970
    at = pw.DateTimeField(default=now)

    class Meta:
        table_name = "guest_links"
        indexes = ((("user", "uid", "recipient"), True),)


class GuestReply(Table):
    """What somebody said of a meeting that its event does not hold: a guest's note, another time that they propose, the answer
    of somebody who is not invited. The latest of each."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+", index=False)  # who organises it
    uid = pw.CharField(max_length=255)
    kind = pw.CharField(max_length=12)  # ReplyKind (webmail/calendar/guests/guest_replies.py)
    sender = pw.CharField(max_length=254)  # as addresses are compared
    name = pw.CharField(max_length=200, default="")
    answer = pw.CharField(max_length=20, default="")
    comment = pw.TextField(default="")
    text = pw.TextField(default="")  # the calendar part that says it, with its METHOD
    decided = pw.IntegerField(default=0)  # 1: the organiser has decided of it
    at = pw.DateTimeField(default=now, index=True)

    class Meta:
        table_name = "guest_replies"
        indexes = ((("user", "uid", "kind", "sender"), True),)
