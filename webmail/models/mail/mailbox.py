"""Mailbox tables: saved and recent searches, tags, folders used lately, snoozed messages, requests for room."""

from __future__ import annotations

import peewee as pw

from webmail.models.accounts import User
from webmail.models.base import Table, now


class SavedSearch(Table):
    """A named search, shown among the folders."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="saved_searches")
    name = pw.CharField(max_length=100)
    query = pw.TextField()
    mailbox = pw.TextField(default="INBOX")
    scope = pw.CharField(max_length=10, default="")  # "" this mailbox, "below" with those inside it, "all" everywhere
    created = pw.DateTimeField(default=now)

    class Meta:
        table_name = "saved_searches"
        indexes = ((("user", "name"), True),)


class RecentSearch(Table):
    """A search that somebody typed lately: offered as they type again. The highest `id` is the latest."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="recent_searches")
    query = pw.TextField()

    class Meta:
        table_name = "recent_searches"


class Tag(Table):
    """A name and a colour for an IMAP keyword. The keyword is on the messages, so that other mail clients see it."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="tags")
    keyword = pw.CharField(max_length=60)
    name = pw.CharField(max_length=60)
    colour = pw.CharField(max_length=20, default="")

    class Meta:
        table_name = "tags"
        indexes = ((("user", "keyword"), True),)


class RecentFolder(Table):
    """A folder that the user moved messages to lately: offered first the next time. The highest `id` is the latest."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="recent_folders")
    mailbox = pw.TextField()

    class Meta:
        table_name = "recent_folders"


class Snoozed(Table):
    """A snoozed message: it waits in `folder` under `uid` and returns to `mailbox` when `due`.

    The row is created before the message is moved (`uid` is 0 until then), so that no message is lost in `folder`.
    """

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="snoozed")
    mailbox = pw.TextField(default="INBOX")
    folder = pw.TextField()
    uidvalidity = pw.BigIntegerField(default=0)
    uid = pw.BigIntegerField(default=0)
    message_id = pw.TextField(default="")  # finds it again if UIDs changed
    subject = pw.TextField(default="")
    sender = pw.TextField(default="")
    due = pw.DateTimeField(index=True)
    lease = pw.DateTimeField(null=True)  # claimed for waking until then
    # where its copy is being appended: a retry that finds it there from `target_uidnext` on does not append it again
    target = pw.TextField(default="")
    target_uidvalidity = pw.BigIntegerField(default=0)
    target_uidnext = pw.BigIntegerField(default=0)
    created = pw.DateTimeField(default=now)

    class Meta:
        table_name = "snoozed"
        indexes = ((("user", "uidvalidity", "uid"), False),)


class RoomRequest(Table):
    """Somebody asks the administrator for more room. Open until the quota is set, or the mail server tells a larger one."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="room_requests")
    note = pw.TextField(default="")
    used = pw.BigIntegerField()  # bytes, when asked
    room = pw.BigIntegerField()  # the quota then
    asked = pw.DateTimeField(default=now, index=True)
    closed = pw.DateTimeField(null=True)
    given = pw.BigIntegerField(null=True)  # the quota since; 0: no limit

    class Meta:
        table_name = "room_requests"
