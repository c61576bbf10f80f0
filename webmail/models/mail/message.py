"""Message table: reported phishing."""

from __future__ import annotations

import peewee as pw

from webmail.models.accounts import User
from webmail.models.base import Table, now


class PhishingReport(Table):
    """A message reported as phishing: its sender and subject, never its text."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="phishing_reports")
    sender = pw.CharField(max_length=254, default="")
    subject = pw.TextField(default="")
    message_id = pw.TextField(default="")
    outbox = pw.BigIntegerField(default=0)  # the Outbox row that reports it to `phishing_address`; 0: none
    created = pw.DateTimeField(default=now, index=True)
    handled = pw.DateTimeField(null=True)  # when an administrator had dealt with it
    handler = pw.CharField(max_length=254, default="")  # that administrator's address

    class Meta:
        table_name = "phishing_reports"
