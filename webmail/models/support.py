"""Support table: what somebody who is stuck asks the administrator."""

from __future__ import annotations

from typing import TYPE_CHECKING

import peewee as pw

from webmail.models.accounts import User
from webmail.models.base import Table, now


class SupportRequest(Table):
    """What somebody who may not be signed in asks support. Never holds a password."""

    reference = pw.CharField(max_length=12, unique=True)  # what is told on the telephone: "K7M-2QX"
    user = pw.ForeignKeyField(User, null=True, on_delete="SET NULL", backref="support_requests")  # signed in, and so certain
    username = pw.CharField(max_length=254, default="")  # as it was typed
    kind = pw.CharField(max_length=20)
    text = pw.TextField(default="")
    contact = pw.CharField(max_length=254, default="")  # where they can be reached: an address, a telephone
    browser = pw.CharField(max_length=255, default="")
    network = pw.CharField(max_length=64, default="")
    language = pw.CharField(max_length=5, default="")
    created = pw.DateTimeField(default=now, index=True)
    closed = pw.DateTimeField(null=True)
    if TYPE_CHECKING:
        user_id: int | None

    class Meta:
        table_name = "support_requests"
