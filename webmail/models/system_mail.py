"""Table of the mail that the establishment itself sends: recovery links, notices, reports. Expires after some weeks."""

from __future__ import annotations

import peewee as pw

from webmail.models.base import Table, now
from webmail.models.mail.compose import OutboxState


class SystemMessage(Table):
    """A message of the establishment to one address. Its states are those of the outbox, except that it is never cancelled."""

    recipient = pw.CharField(max_length=254)  # lower case
    language = pw.CharField(max_length=20)  # of the text
    kind = pw.CharField(max_length=40)  # a word for the log and the administrator
    subject = pw.TextField()
    body = pw.TextField()  # sealed where it holds a secret, and emptied once it is over
    html = pw.TextField(default="")  # the same formatted, or ""; sealed as the text is
    calendar = pw.TextField(default="")  # an event with its METHOD (RFC 5546), or ""; sealed as the text is
    reply_to = pw.CharField(max_length=254, default="")  # whom answers go to, where it is written for a person
    dedup = pw.CharField(max_length=64, unique=True)  # hex; the same message queued twice is one row
    state = pw.CharField(max_length=12, default=OutboxState.WAITING)
    handed_over = pw.BooleanField(default=False)  # set just before the final dot
    attempts = pw.IntegerField(default=0)
    due = pw.DateTimeField(default=now)
    lease = pw.DateTimeField(null=True)  # claimed by a worker until then; expires if the worker dies
    error = pw.TextField(default="")
    created = pw.DateTimeField(default=now)
    sent_at = pw.DateTimeField(null=True)

    class Meta:
        table_name = "system_messages"
        indexes = ((("recipient", "created"), False), (("state", "due"), False))
