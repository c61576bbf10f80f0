"""Tables of getting back in: password resets, and whom deputies help."""

from __future__ import annotations

from typing import TYPE_CHECKING

import peewee as pw

from webmail.models.accounts import User
from webmail.models.base import Table, now
from webmail.models.people import PeopleGroup


class PasswordReset(Table):
    """A way to a new password that somebody asked for, good once and for an hour. `token_hash` is the SHA-256 of the token.

    By mail the token is in the link. By SMS it stays in the browser that asked, and a code of six digits comes with the message.
    """

    user = pw.ForeignKeyField(User, null=True, on_delete="CASCADE", backref="password_resets")  # null: all look alike
    token_hash = pw.CharField(max_length=64, unique=True)
    channel = pw.CharField(max_length=4)  # "mail" or "sms"
    code_hash = pw.CharField(max_length=64, default="")  # by SMS; keyed with the installation's secret (vault.py)
    tries = pw.IntegerField(default=0)  # of the code
    known = pw.BooleanField(default=False)  # asked for in a browser on which the person signed in before
    sent = pw.DateTimeField(null=True)  # null: nothing was sent, so that neither link nor code is good
    proved = pw.DateTimeField(null=True)  # when the code was right: from then on the token alone counts, as by mail
    used = pw.DateTimeField(null=True)
    network = pw.CharField(max_length=64, default="")  # of who asked
    created = pw.DateTimeField(default=now, index=True)
    if TYPE_CHECKING:
        user_id: int | None

    class Meta:
        table_name = "password_resets"


class Deputy(Table):
    """Somebody who may help the people of a group back in, face to face: with a temporary password, and by removing factors."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="deputy_for", index=False)
    group = pw.ForeignKeyField(PeopleGroup, on_delete="CASCADE", backref="deputies")
    created = pw.DateTimeField(default=now)

    class Meta:
        table_name = "deputies"
        indexes = ((("user", "group"), True),)
