"""Tables of signing in by what the establishment already has: who is who at a provider, and what it was asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import peewee as pw

from webmail.models.accounts import User
from webmail.models.base import Table, now


class LinkedAccount(Table):
    """Who an account is at a provider: the subject that it names (OpenID Connect: `sub`; LDAP: `entryUUID` or the DN)."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="linked_accounts")
    provider = pw.CharField(max_length=40)  # "oidc:<name>", "ldap", "cas", "proxy"
    subject = pw.CharField(max_length=255)
    shown = pw.CharField(max_length=254, default="")  # how the person knows it: a user name or address there
    created = pw.DateTimeField(default=now)
    used = pw.DateTimeField(default=now)  # when the provider last vouched for them
    warned = pw.DateTimeField(null=True)  # when the person was told that app passwords pause: app_password_pause.py
    left = pw.DateTimeField(null=True)  # when the account was disabled since the directory no longer had them
    if TYPE_CHECKING:
        user_id: int

    class Meta:
        table_name = "linked_accounts"
        indexes = ((("provider", "subject"), True), (("user", "provider"), True), (("provider", "shown"), False))


class UsedToken(Table):
    """A token of a provider that is good once, such as one that ends sessions (`jti`), remembered until it is over by itself."""

    hash = pw.CharField(max_length=64, primary_key=True)
    expires = pw.DateTimeField(index=True)

    class Meta:
        table_name = "used_tokens"
