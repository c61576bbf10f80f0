"""Tables of reading: senders whose remote images are shown, and reported phishing."""

from __future__ import annotations

import peewee as pw

from webmail.models.accounts import User
from webmail.models.base import Table, now


class ImageSender(Table):
    """An address whose remote images a person wants to see."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="image_senders")
    address = pw.CharField(max_length=254)  # lower case
    created = pw.DateTimeField(default=now)

    class Meta:
        table_name = "image_senders"
        indexes = ((("user", "address"), True),)


class PhishingReport(Table):
    """A message that a person reported: who wrote it and what it was called, never what it said."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="phishing_reports")
    sender = pw.CharField(max_length=254, default="")
    subject = pw.TextField(default="")
    message_id = pw.TextField(default="")
    outbox = pw.BigIntegerField(default=0)  # the row that carries it to `phishing_address`; 0: none
    created = pw.DateTimeField(default=now, index=True)

    class Meta:
        table_name = "phishing_reports"
