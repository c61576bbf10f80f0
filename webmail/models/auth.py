"""Sign-in tables: sessions, trusted devices, and failed sign-ins for rate limiting."""

from __future__ import annotations

import peewee as pw

from webmail.models.accounts import User
from webmail.models.base import Table, now


class Session(Table):
    """A session. `id_hash` is the SHA-256 of the cookie's token, so that a leaked table gives no access."""

    id_hash = pw.CharField(max_length=64, primary_key=True)
    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="sessions")
    credential = pw.BlobField(null=True)  # mail password, encrypted with a key derived from the cookie (vault.py)
    data = pw.TextField(default="{}")
    shared = pw.BooleanField(default=False)
    lasting = pw.BooleanField(default=False)  # "stay signed in": lasts longer than others
    pending = pw.BooleanField(default=False)  # the password was right, the second step is still to come: not a sign-in
    confirmed = pw.DateTimeField(null=True)  # when a factor was last asked for again, before a change of them
    created = pw.DateTimeField(default=now)
    seen = pw.DateTimeField(default=now, index=True)
    user_agent = pw.CharField(max_length=255, default="")
    network = pw.CharField(max_length=64, default="")
    provider = pw.CharField(max_length=40, default="")  # by whom the person signed in, as in `LinkedAccount`; "": here
    provider_session = pw.CharField(max_length=64, default="", index=True)  # SHA-256 of the provider's own, which it may end


class SignInFailure(Table):
    """A failed sign-in, kept as long as it counts for the rate limit."""

    address = pw.CharField(max_length=254, index=True)
    network = pw.CharField(max_length=64, index=True)
    at = pw.DateTimeField(default=now, index=True)


class TrustedDevice(Table):
    """A browser that need not be asked for the second step for a while. `token_hash` is the SHA-256 of its cookie's token."""

    token_hash = pw.CharField(max_length=64, primary_key=True)
    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="trusted_devices")
    user_agent = pw.CharField(max_length=255, default="")
    network = pw.CharField(max_length=64, default="")
    created = pw.DateTimeField(default=now)
    expires = pw.DateTimeField(index=True)

    class Meta:
        table_name = "trusted_devices"
