"""Tables of programs that keep passwords on servers of their maker. Dovecot reads which networks may not sign in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import peewee as pw

from webmail.models.accounts import User
from webmail.models.base import Table, now


class RefusedNetwork(Table):
    """What the text of an address begins with from which no program signs in (webmail/config/cloud_programs.py)."""

    beginning = pw.CharField(max_length=50, primary_key=True)
    program = pw.CharField(max_length=60)

    class Meta:
        table_name = "refused_networks"


class CloudProgramUse(Table):
    """Somebody's use of such a program: when it signed in last, or was refused."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="cloud_program_uses", index=False)
    program = pw.CharField(max_length=60)  # as the setting calls it
    network = pw.CharField(max_length=64, default="")
    first = pw.DateTimeField(default=now)
    used = pw.DateTimeField(null=True)
    refused = pw.DateTimeField(null=True)
    told = pw.DateTimeField(null=True)  # when the person was told that it was used
    if TYPE_CHECKING:
        user_id: int

    class Meta:
        table_name = "cloud_program_uses"
        indexes = ((("user", "program"), True),)
