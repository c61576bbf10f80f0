"""People tables: who wrote to a person (for suggestions, never for trust), and when their mail was last read to learn it."""

from __future__ import annotations

import peewee as pw

from webmail.models.accounts import User
from webmail.models.base import Table, now


class Acquaintance(Table):
    """An address that mail of a person came from, for suggestions only: having had mail from it says nothing about trust."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="acquaintances")
    address = pw.CharField(max_length=254)  # lower case
    name = pw.CharField(max_length=190, default="")
    count = pw.IntegerField(default=1)
    last = pw.DateTimeField(default=now)
    hidden = pw.DateTimeField(null=True)  # when the person had it forgotten: it is no longer suggested

    class Meta:
        table_name = "acquaintances"
        indexes = ((("user", "address"), True), (("user", "last"), False))


class BlockedSenders(Table):
    """A copy of the blocked senders in somebody's script on the mail server, for suggestions only, see people/blocked.py."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="blocked_senders", unique=True)
    blocked = pw.TextField(default="")  # addresses and "@" with a domain, between blanks
    spared = pw.TextField(default="")  # safe addresses in those domains

    class Meta:
        table_name = "blocked_senders"


class PeopleLearned(Table):
    """When the people of somebody's mail were last learned, see people/learning.py. No row: never."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", unique=True)
    at = pw.DateTimeField(default=now)
    messages = pw.IntegerField(default=0)  # that were looked at

    class Meta:
        table_name = "people_learned"
