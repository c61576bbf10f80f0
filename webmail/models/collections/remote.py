"""Tables of collections that live on another server: the accounts, which collections, and both sides' state of each item."""

from __future__ import annotations

from typing import TYPE_CHECKING

import peewee as pw

from webmail.models.accounts import User
from webmail.models.base import Table, now
from webmail.models.collections.collections import Collection
from webmail.models.services import ConnectedService


class RemoteAccount(Table):
    """A person's account on another CalDAV or CardDAV server, or what has calendars or contacts of a connected service."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="remote_accounts")
    url = pw.CharField(max_length=1000)  # as it was typed, made whole
    login = pw.CharField(max_length=254)
    secret = pw.BlobField()  # sealed: see vault.py; nothing where a service that the person connected has it
    service = pw.ForeignKeyField(ConnectedService, null=True, on_delete="CASCADE", backref="+")
    created = pw.DateTimeField(default=now)
    due = pw.DateTimeField(
        default=now, index=True
    )  # when it is synchronised next; while it is: when another worker may take over
    working = pw.IntegerField(default=0)  # 1: a worker is at it
    failures = pw.IntegerField(default=0)  # in a row
    tried = pw.DateTimeField(null=True)
    succeeded = pw.DateTimeField(null=True)
    error = pw.CharField(max_length=20, default="")  # a word of `FollowFault`; "password": it stops until there is another one
    error_host = pw.CharField(max_length=253, default="")  # to which the server sent us on
    if TYPE_CHECKING:
        user_id: int
        service_id: int | None

    class Meta:
        table_name = "remote_accounts"


class RemoteLink(Table):
    """A collection here and the one there that it is kept in step with."""

    account = pw.ForeignKeyField(RemoteAccount, on_delete="CASCADE", backref="links", index=False)
    collection = pw.ForeignKeyField(Collection, on_delete="CASCADE", backref="remote_links", unique=True)
    url = pw.CharField(max_length=1000)
    writable = pw.IntegerField(default=1)
    syncs = pw.IntegerField(default=1)  # it knows sync-collection
    token = pw.TextField(default="")  # of sync-collection
    ctag = pw.CharField(max_length=255, default="")
    whole = pw.DateTimeField(null=True)  # when all of it was last compared
    seq = pw.BigIntegerField(default=-1)  # of the collection here: what was changed up to then is there too
    tried = pw.DateTimeField(null=True)
    succeeded = pw.DateTimeField(null=True)
    error = pw.CharField(max_length=20, default="")
    # many items are missing on one side, and the person is asked: "there" or "here"; their answer: "delete" or "restore"
    missing = pw.CharField(max_length=5, default="")
    missing_count = pw.IntegerField(default=0)
    answer = pw.CharField(max_length=7, default="")
    done = pw.IntegerField(default=0)  # of `total` steps of the round that goes on
    total = pw.IntegerField(default=0)
    created = pw.DateTimeField(default=now)
    if TYPE_CHECKING:
        account_id: int
        collection_id: int

    class Meta:
        table_name = "remote_links"
        indexes = ((("account", "url"), True),)


class RemoteItem(Table):
    """An item, as both sides had it when they were last equal. `note` says why it is on one side only, or that it is a copy."""

    link = pw.ForeignKeyField(RemoteLink, on_delete="CASCADE", backref="items", index=False)
    name = pw.CharField(max_length=500)  # in addresses there
    href = pw.CharField(max_length=255, default="")  # here; "" if it can't be kept here
    etag = pw.CharField(max_length=255, default="")  # there
    local = pw.CharField(max_length=64, default="")  # entity tag here
    sending = pw.CharField(max_length=64, default="")  # entity tag here of what is being sent: the answer may never come
    sent = pw.CharField(max_length=200, default="")  # digests of what was sent without an answer (`versions.meaning`)
    note = pw.CharField(max_length=10, default="")
    title = pw.CharField(max_length=190, default="")  # where there is a note
    at = pw.DateTimeField(default=now)
    if TYPE_CHECKING:
        link_id: int

    class Meta:
        table_name = "remote_items"
        indexes = ((("link", "name"), True), (("link", "href"), False))
