"""People tables: groups, who wrote to a person (for suggestions, never for trust) or was written to, whose images are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import peewee as pw

from webmail.models.accounts import User
from webmail.models.base import Table, now
from webmail.models.establishments import Establishment


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
    """When the people of somebody's mail were last learned, see people/suggestions/mail_scan.py. No row: never."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", unique=True)
    at = pw.DateTimeField(default=now)
    messages = pw.IntegerField(default=0)  # that were looked at

    class Meta:
        table_name = "people_learned"


class PeopleGroup(Table):
    """A group of people of one domain: a class, a subject, an office. Dovecot reads it for the rights in shared folders."""

    identifier = pw.CharField(max_length=254, unique=True)  # in access lists; never changes and is never given out again
    name = pw.CharField(max_length=100)
    sort = pw.CharField(max_length=190)  # the name without case, accents and punctuation
    domain = pw.CharField(max_length=190)
    address = pw.CharField(max_length=254, null=True, unique=True)  # in lower case: mail to it goes to everybody in the group
    writers = pw.CharField(max_length=10, null=True)  # who may write there: "owners", "inside", "anybody"; null: "members"
    policy = pw.TextField(null=True)  # JSON: what its people have by it (people/policies.py)
    version = pw.IntegerField(null=True, default=0)  # rises with each change from the pages: two who edit it at once are told
    created = pw.DateTimeField(default=now)

    class Meta:
        table_name = "people_groups"
        indexes = ((("domain", "sort"), True),)


class GroupMember(Table):
    """A person in a group."""

    group = pw.ForeignKeyField(PeopleGroup, on_delete="CASCADE", backref="members", index=False)
    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="memberships")
    provider = pw.CharField(max_length=40, default="")  # who put them there, and may take them out again; "": by hand

    class Meta:
        table_name = "group_members"
        indexes = ((("group", "user"), True),)


class GroupOwner(Table):
    """Who looks after a group, and may write to its list."""

    group = pw.ForeignKeyField(PeopleGroup, on_delete="CASCADE", backref="+", index=False)
    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+")

    class Meta:
        table_name = "group_owners"
        indexes = ((("group", "user"), True),)


class Correspondent(Table):
    """An address that a person has written to: for suggestions, and for trust (people/correspondents.py)."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="correspondents")
    address = pw.CharField(max_length=254)  # lower case
    name = pw.CharField(max_length=190, default="")
    count = pw.IntegerField(default=1)
    last = pw.DateTimeField(default=now)
    hidden = pw.DateTimeField(null=True)  # when the person had it forgotten: no longer suggested, but still written to

    class Meta:
        table_name = "correspondents"
        indexes = ((("user", "address"), True), (("user", "last"), False))


class ImageSender(Table):
    """A sender address whose remote images a person allowed."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="image_senders")
    address = pw.CharField(max_length=254)  # lower case
    created = pw.DateTimeField(default=now)

    class Meta:
        table_name = "image_senders"
        indexes = ((("user", "address"), True),)


class RefusedSender(Table):
    """A sender whose mail nobody gets, by an administrator's decision. The door (deploy/milter) reads this table."""

    entry = pw.CharField(max_length=254, index=True)  # an address, or "@" and a domain with all below it; lower case, ASCII
    establishment = pw.ForeignKeyField(Establishment, null=True, on_delete="CASCADE", backref="+")  # null: for everybody
    by = pw.CharField(max_length=254, default="")  # the administrator's address
    created = pw.DateTimeField(default=now)
    if TYPE_CHECKING:
        establishment_id: int | None

    class Meta:
        table_name = "refused_senders"
