"""Tables of signing in: sessions, and wrong passwords that count against the next try."""

from __future__ import annotations

import peewee as pw

from webmail.models.accounts import User
from webmail.models.base import Table, now


class Session(Table):
    """A sign-in. `id_hash` is SHA-256 of what the cookie holds, so that the table alone opens no door."""

    id_hash = pw.CharField(max_length=64, primary_key=True)
    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="sessions")
    credential = pw.BlobField(null=True)  # mail password, sealed with a key that needs the cookie (vault.py)
    data = pw.TextField(default="{}")
    shared = pw.BooleanField(default=False)
    created = pw.DateTimeField(default=now)
    seen = pw.DateTimeField(default=now, index=True)
    user_agent = pw.CharField(max_length=255, default="")
    network = pw.CharField(max_length=64, default="")


class SignInFailure(Table):
    """A wrong password, kept for as long as it counts against the next try."""

    address = pw.CharField(max_length=254, index=True)
    network = pw.CharField(max_length=64, index=True)
    at = pw.DateTimeField(default=now, index=True)
