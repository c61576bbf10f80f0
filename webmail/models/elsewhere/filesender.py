"""Tables of transfers that a FileSender sends instead of us (webmail/filesender/)."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import peewee as pw

from webmail.models.accounts import User
from webmail.models.base import Table, now
from webmail.models.transfers import Transfer


class DeliveryState(StrEnum):
    """How far the files have come."""

    WAITING = "waiting"  # for the check of its files, for a worker, or in the middle
    ENDING = "ending"  # the call that lets others download is made, or about to be: it can't be stopped any more
    SENT = "sent"  # FileSender has them all, and gives them out
    STOPPED = "stopped"  # refused, or its owner stopped it: it is being put together again
    CLOSED = "closed"  # there too


class FilesenderDelivery(Table):
    """A transfer on its way to FileSender, or there."""

    transfer = pw.ForeignKeyField(Transfer, on_delete="CASCADE", backref="+", unique=True)
    state = pw.CharField(max_length=10, default=DeliveryState.WAITING, index=True)
    remote = pw.BigIntegerField(null=True)  # its number there
    people = pw.TextField(default="[]")  # JSON: addresses that FileSender writes to; none: a link alone
    names = pw.TextField(default="{}")  # JSON: files that have another name there, by theirs here
    typed = pw.TextField(default="{}")  # JSON: what stood in the form, should it be put together again
    secret = pw.BlobField(null=True)  # sealed JSON: the token for its bytes, then its link
    problem = pw.CharField(max_length=30, default="")  # why it stopped: of `client.Refusal`, or of `handover.Stop`
    task = pw.CharField(max_length=32, default="")  # that brings it there
    changed = pw.DateTimeField(default=now)
    if TYPE_CHECKING:
        transfer_id: int

    class Meta:
        table_name = "filesender_deliveries"


class FilesenderRemovedGuest(Table):
    """A guest who was removed: FileSender goes on naming them until their date, and does not say so."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+", index=False)
    guest = pw.BigIntegerField()  # their number there

    class Meta:
        table_name = "filesender_removed_guests"
        indexes = ((("user", "guest"), True),)
