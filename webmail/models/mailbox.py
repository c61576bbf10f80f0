"""Tables of the mailbox: saved searches, names of tags, snoozed messages, what can be undone."""

from __future__ import annotations

import peewee as pw

from webmail.models.accounts import User
from webmail.models.base import Table, now


class SavedSearch(Table):
    """A search that a person gave a name; shown among the folders."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="saved_searches")
    name = pw.CharField(max_length=100)
    query = pw.TextField()
    mailbox = pw.TextField(default="INBOX")
    scope = pw.CharField(max_length=10, default="")  # "" this mailbox, "below" with those inside it, "all" everywhere
    created = pw.DateTimeField(default=now)

    class Meta:
        table_name = "saved_searches"
        indexes = ((("user", "name"), True),)


class Tag(Table):
    """A name and a colour for an IMAP keyword. The messages carry the keyword, so that other programs see it."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="tags")
    keyword = pw.CharField(max_length=60)
    name = pw.CharField(max_length=60)
    colour = pw.CharField(max_length=20, default="")

    class Meta:
        table_name = "tags"
        indexes = ((("user", "keyword"), True),)


class Snoozed(Table):
    """A message put off: it waits in `folder` under `uid` and comes back to `mailbox` when `due`.

    The row is there before the message is moved (`uid` is 0 until then), so that no message waits for ever.
    """

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="snoozed")
    mailbox = pw.TextField(default="INBOX")
    folder = pw.TextField()
    uidvalidity = pw.BigIntegerField(default=0)
    uid = pw.BigIntegerField(default=0)
    message_id = pw.TextField(default="")  # finds it again where UIDs changed
    subject = pw.TextField(default="")
    sender = pw.TextField(default="")
    due = pw.DateTimeField(index=True)
    lease = pw.DateTimeField(null=True)  # somebody is waking it until then
    # where its copy is being put: found there from `target_uidnext` on, it is not put there again
    target = pw.TextField(default="")
    target_uidvalidity = pw.BigIntegerField(default=0)
    target_uidnext = pw.BigIntegerField(default=0)
    created = pw.DateTimeField(default=now)

    class Meta:
        table_name = "snoozed"
        indexes = ((("user", "uidvalidity", "uid"), False),)


class Undo(Table):
    """How to take back what was done to messages: offered under its random `id` for a while."""

    id = pw.CharField(max_length=32, primary_key=True)
    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="undos")
    steps = pw.TextField()  # JSON, see mailbox/undo.py
    created = pw.DateTimeField(default=now, index=True)
