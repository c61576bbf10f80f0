"""Forwarding table: the addresses that people's mail may be sent on to, and those that it is sent on to now."""

from __future__ import annotations

from typing import TYPE_CHECKING

import peewee as pw

from webmail.models.accounts import User
from webmail.models.base import Table, now


class ForwardTarget(Table):
    """An address that somebody wants their mail forwarded to.

    What is done stands in their script on the mail server; `active`, `keeps_copy` and `until` are a copy of it, as true as the
    last look at the script: for the administrator's list, and to find loops.
    """

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="forward_targets", index=False)
    address = pw.CharField(max_length=254, index=True)  # lower case, the domain in ASCII
    confirmed = pw.DateTimeField(null=True)  # by a code mailed there, or because it is inside; null: only found in the script
    active = pw.BooleanField(default=False)
    keeps_copy = pw.BooleanField(default=True)
    until = pw.DateTimeField(null=True)
    created = pw.DateTimeField(default=now)
    if TYPE_CHECKING:
        user_id: int

    class Meta:
        table_name = "forward_targets"
        indexes = ((("user", "address"), True),)
