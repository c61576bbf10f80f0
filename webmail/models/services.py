"""Table of connected services: a person's account at Google or Microsoft, on a Nextcloud or a FileSender."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import peewee as pw

from webmail.models.accounts import User
from webmail.models.base import Table, now


class ServiceState(StrEnum):
    WORKS = "works"
    REFUSED = "refused"  # consent was taken back, or the password is wrong: the person connects it again
    AWAY = "away"  # it did not answer last time


class ConnectedService(Table):
    """Several of one provider are several rows. `secret` is sealed (`services/connections.py`), and says itself what it is."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+", index=False)
    provider = pw.CharField(max_length=20)  # of config/connected_services.py, `SERVICES`
    title = pw.CharField(max_length=100)  # what the person calls it
    address = pw.CharField(max_length=1000, default="")  # of a Nextcloud or another server; "" where the provider has one for all
    login = pw.CharField(max_length=254, default="")  # who it is there
    scopes = pw.TextField(default="")  # granted, separated by spaces; of a WebDAV server: what it can
    secret = pw.BlobField()
    expires = pw.DateTimeField(null=True)  # of the access token in it
    state = pw.CharField(max_length=10, default=ServiceState.WORKS)
    problem = pw.CharField(max_length=30, default="")  # a word of `services/service_errors.py`, where it does not work
    version = pw.IntegerField(default=0)  # how often the secret was written
    renewing = pw.DateTimeField(null=True)  # since when tokens are asked for whose answer is not written yet
    made = pw.DateTimeField(default=now)
    used = pw.DateTimeField(null=True)
    if TYPE_CHECKING:
        user_id: int

    class Meta:
        table_name = "connected_services"
        indexes = ((("user", "title"), True),)
