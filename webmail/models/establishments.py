"""Establishment tables: the schools and offices that share an installation, their domains, and who administers one of them alone.

Most installations have no establishment: all accounts then belong to the installation itself. What pages of administration have
set is here too, of the installation or of an establishment: rows that are only added.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import peewee as pw

from webmail.models.accounts import User
from webmail.models.base import Table, now


class Establishment(Table):
    """An establishment of several on one installation."""

    name = pw.CharField(max_length=190, unique=True)
    directory = pw.CharField(max_length=10, default="all")  # whom its people find: "all" of the installation, or their "own"
    policy = pw.TextField(null=True)  # JSON: what its people have by it, beneath their groups (people/policies.py)
    version = pw.IntegerField(null=True)  # rises with each change of `policy`: two who edit it at once are told; null: 0
    created = pw.DateTimeField(default=now)

    class Meta:
        table_name = "establishments"


class EstablishmentDomain(Table):
    """A domain of an establishment: the accounts in it are its people."""

    domain = pw.CharField(max_length=190, unique=True)  # lower case
    establishment = pw.ForeignKeyField(Establishment, on_delete="CASCADE", backref="domains")
    if TYPE_CHECKING:
        establishment_id: int

    class Meta:
        table_name = "establishment_domains"


class EstablishmentAdministrator(Table):
    """Who administers an establishment, and no other. `User.role` is "establishment" then, so that pages need not look here."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="administered", index=False)
    establishment = pw.ForeignKeyField(Establishment, on_delete="CASCADE", backref="administrators")
    if TYPE_CHECKING:
        user_id: int
        establishment_id: int

    class Meta:
        table_name = "establishment_administrators"
        indexes = ((("user", "establishment"), True),)


class EstablishmentSetting(Table):
    """What a setting became: the newest row of a name is its value."""

    establishment = pw.ForeignKeyField(Establishment, null=True, on_delete="CASCADE", index=False)  # null: the installation
    name = pw.CharField(max_length=60)  # of establishments/page_settings.py
    value = pw.TextField(null=True)  # JSON; null: what config.toml or the default says
    at = pw.DateTimeField(default=now)
    by = pw.CharField(max_length=254)  # an address, or "command"
    if TYPE_CHECKING:
        establishment_id: int | None

    class Meta:
        table_name = "establishment_settings"
        indexes = ((("establishment", "name", "id"), False),)


class EstablishmentImage(Table):
    """A logo, named by what it contains."""

    digest = pw.CharField(max_length=32, primary_key=True)
    kind = pw.CharField(max_length=20)  # image/png or image/jpeg
    content = pw.BlobField()
    created = pw.DateTimeField(default=now)

    class Meta:
        table_name = "establishment_images"
