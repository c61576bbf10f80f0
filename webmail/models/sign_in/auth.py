"""Sign-in tables: sessions, trusted devices, failed sign-ins for rate limiting, and who waits for a turn."""

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
    whereabouts = pw.TextField(null=True)  # where else the cookie turned up, JSON: auth/sessions/whereabouts.py; null: nowhere
    provider = pw.CharField(max_length=40, default="")  # by whom the person signed in, as in `LinkedAccount`; "": here
    provider_session = pw.CharField(max_length=64, default="", index=True)  # SHA-256 of the provider's own, which it may end
    beside: str | None  # no column: what was asked in the same query (auth/sessions/sessions.py)


class SignInFailure(Table):
    """When a device last tried a wrong password (auth/devices/failures.py); what is limited by time is a `LimitUse`."""

    address = pw.CharField(max_length=254, index=True)
    network = pw.CharField(max_length=64, index=True)
    at = pw.DateTimeField(default=now, index=True)


class WaitingPlace(Table):
    """A browser in a line of those who wait for their turn: auth/sign_in/waiting_lines.py. `line` is a SHA-256 of its name."""

    line = pw.CharField(max_length=64)
    place = pw.CharField(max_length=32, index=True)  # the browser's number, in its signed cookie
    source = pw.CharField(max_length=64)  # where it is, as in `SignInFailure.network`
    since = pw.DateTimeField(default=now)
    until = pw.DateTimeField(index=True)  # when it has not come back

    class Meta:
        table_name = "waiting_places"
        indexes = ((("line", "place"), True),)


class TakenTurn(Table):
    """A turn that was taken in a line, kept for as long as it counts."""

    line = pw.CharField(max_length=64)
    source = pw.CharField(max_length=64)
    at = pw.DateTimeField(default=now, index=True)

    class Meta:
        table_name = "taken_turns"
        indexes = ((("line", "at"), False),)


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
