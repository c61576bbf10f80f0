"""Table of scripts: what they asked for by a key of their own (Idempotency-Key), so that who asks again gets the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import peewee as pw

from webmail.models.accounts import User
from webmail.models.base import Table, now


class ScriptRequest(Table):
    """A request that makes something, by its key. `number`: of what was made; 0 while it is being worked on."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="script_requests", index=False)
    key_hash = pw.CharField(max_length=64)  # of the operation and the key, keyed with the secret of the installation
    fingerprint = pw.CharField(max_length=64)  # of what was asked: a key is good for one thing
    number = pw.BigIntegerField(default=0)
    attempts = pw.IntegerField(default=0)  # who takes over from one that was killed counts on
    begun = pw.DateTimeField(default=now)
    created = pw.DateTimeField(default=now, index=True)
    if TYPE_CHECKING:
        user_id: int

    class Meta:
        table_name = "script_requests"
        indexes = ((("user", "key_hash"), True),)
