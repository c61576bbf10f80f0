"""Device networks: where a device has shown the right password of an account lately."""

from __future__ import annotations

import peewee as pw

from webmail.models.accounts import User
from webmail.models.base import Table, now


class DeviceNetwork(Table):
    """A network at which an account's own password was right on a telephone or program (dav/attempts.py)."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="device_networks", index=False)
    network = pw.CharField(max_length=64)
    seen = pw.DateTimeField(default=now)

    class Meta:
        table_name = "device_networks"
        indexes = ((("user", "network"), True),)
