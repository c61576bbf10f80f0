"""The table of rate limits: what was done lately that may be done so often (webmail/rate_limits.py, which alone writes it)."""

from __future__ import annotations

import peewee as pw

from webmail.models.base import Table, now


class LimitUse(Table):
    """Something that counts for a limit. Both hashes are keyed: no person, address or network stands here."""

    key = pw.CharField(max_length=64)  # of the limit, and of whose uses these are
    mark = pw.CharField(max_length=64)  # of what is given back together
    at = pw.DateTimeField(default=now)
    until = pw.DateTimeField(index=True)  # from then on it counts no more

    class Meta:
        table_name = "limit_uses"
        indexes = ((("key", "at"), False),)
