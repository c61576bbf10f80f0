"""Tables of people: accounts, and the addresses that they may write as. Dovecot and Postfix read them too."""

from __future__ import annotations

import peewee as pw

from webmail.models.base import Table, now


class User(Table):
    """A person. Dovecot's passdb and userdb read this same table (deploy/dovecot), so there is one place to change anything."""

    address = pw.CharField(max_length=254, unique=True)
    local = pw.CharField(max_length=190)
    domain = pw.CharField(max_length=190)
    name = pw.CharField(max_length=190, default="")
    password = pw.CharField(max_length=255, default="")  # Argon2id, or empty: the IMAP server knows it
    quota_bytes = pw.BigIntegerField(default=1024**3)
    active = pw.IntegerField(default=1)  # 0 or 1: read by Dovecot's SQL on either database
    role = pw.CharField(max_length=20, default="person")  # or "admin"
    language = pw.CharField(max_length=5, default="")  # empty: as the browser asks
    preferences = pw.TextField(null=True)  # JSON, see preferences.py
    recipients_per_hour = pw.IntegerField(null=True)  # instead of the setting of that name; 0: no limit
    recipients_per_day = pw.IntegerField(null=True)
    created = pw.DateTimeField(default=now)
    is_authenticated = True  # what flask-login asks of a person

    class Meta:
        table_name = "accounts"


class AllowedAddress(Table):
    """An address beside their own that a person may write as, by the administrator's word. Postfix reads this table too."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="allowed_addresses")
    address = pw.CharField(max_length=254, index=True)  # lower case

    class Meta:
        table_name = "allowed_addresses"
        indexes = ((("user", "address"), True),)
