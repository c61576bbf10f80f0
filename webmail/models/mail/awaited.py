"""Awaited replies: sent messages of which somebody is reminded if nobody answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import peewee as pw

from webmail.models.accounts import User
from webmail.models.base import Table, now


class AwaitedReply(Table):
    """A message to which a reply is awaited, and what came of it: the row stays for a while, for the message's page.

    It is awaited while `answered` and `ended` are NULL, and has been sent once `sent` is set.
    """

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+", index=False)
    message_id = pw.CharField(max_length=255)  # with angle brackets
    subject = pw.CharField(max_length=255, default="")
    recipients = pw.CharField(max_length=255, default="")
    created = pw.DateTimeField(default=now)
    sent = pw.DateTimeField(null=True)
    due = pw.DateTimeField(index=True)  # when to remind
    told = pw.DateTimeField(null=True)  # when that was done
    ended = pw.DateTimeField(null=True, index=True)  # when the person let it be, or deleted the message
    # its copy, 0: not known
    mailbox = pw.CharField(max_length=500, default="")
    uidvalidity = pw.BigIntegerField(default=0)
    uid = pw.BigIntegerField(default=0)
    marked = pw.IntegerField(default=0)  # 1: the copy has the keyword
    # who answered, and where that message is
    answered = pw.DateTimeField(null=True)
    answerer = pw.CharField(max_length=255, default="")
    answer_mailbox = pw.CharField(max_length=500, default="")
    answer_uidvalidity = pw.BigIntegerField(default=0)
    answer_uid = pw.BigIntegerField(default=0)
    # what programs sent in return: an automatic reply, a report that it was not delivered
    automatic = pw.CharField(max_length=255, default="")  # of whom
    automatic_subject = pw.CharField(max_length=255, default="")
    automatic_at = pw.DateTimeField(null=True)
    automatic_until = pw.CharField(
        max_length=20, default="", constraints=[pw.SQL("DEFAULT ''")]
    )  # "until 2026-12-12", "back 2026-12-14"
    bounced = pw.CharField(max_length=255, default="")  # to whom
    bounced_at = pw.DateTimeField(null=True)
    if TYPE_CHECKING:
        user_id: int

    class Meta:
        table_name = "awaited_replies"
        indexes = ((("user", "message_id"), True),)
