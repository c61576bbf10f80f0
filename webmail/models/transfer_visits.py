"""Tables of visits to public links: confirmed downloads, codes by mail and reports of abuse."""

from __future__ import annotations

from typing import TYPE_CHECKING

import peewee as pw

from webmail.models.base import Table, now
from webmail.models.transfers import Transfer, TransferRecipient


class TransferFetch(Table):
    """A download that a person confirmed and that had its last byte: `what` is a file's upload, "all", or a selection.

    A ticket counts once for each, however often its last part is asked for.
    """

    transfer = pw.ForeignKeyField(Transfer, on_delete="CASCADE", backref="+", index=False)
    recipient = pw.ForeignKeyField(TransferRecipient, on_delete="SET NULL", null=True, backref="+")
    ticket = pw.CharField(max_length=32)  # random, hex: drawn when a person pressed the button
    what = pw.CharField(max_length=64)
    once_key = pw.CharField(max_length=64, null=True, unique=True)  # file and recipient, where each may have it once
    at = pw.DateTimeField(default=now)

    class Meta:
        table_name = "transfer_fetches"
        indexes = ((("transfer", "ticket", "what"), True),)


class TransferCode(Table):
    """The code that was mailed to a recipient last; good for a quarter of an hour."""

    recipient = pw.ForeignKeyField(TransferRecipient, on_delete="CASCADE", backref="+", unique=True)
    code_hash = pw.CharField(max_length=64)
    tries = pw.IntegerField(default=0)
    created = pw.DateTimeField(default=now)

    class Meta:
        table_name = "transfer_codes"


class TransferReport(Table):
    """Abuse of a transfer that somebody reported to the administrator."""

    transfer = pw.ForeignKeyField(Transfer, on_delete="CASCADE", backref="reports")
    reason = pw.CharField(max_length=20)  # of webmail/transfers/public/reports.py
    text = pw.TextField(default="")
    address = pw.CharField(max_length=254, default="")  # of whoever reported it, as they typed it
    created = pw.DateTimeField(default=now, index=True)
    settled = pw.DateTimeField(null=True)  # an administrator dealt with it
    settled_by = pw.CharField(max_length=254, default="")
    if TYPE_CHECKING:
        transfer_id: int

    class Meta:
        table_name = "transfer_reports"
