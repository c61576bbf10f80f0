"""Message tables: senders whose remote images are shown, and reported phishing."""

from __future__ import annotations

import peewee as pw

from webmail.models.accounts import User
from webmail.models.base import Table, now


class ImageSender(Table):
    """A sender address whose remote images a person allowed."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="image_senders")
    address = pw.CharField(max_length=254)  # lower case
    created = pw.DateTimeField(default=now)

    class Meta:
        table_name = "image_senders"
        indexes = ((("user", "address"), True),)


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
