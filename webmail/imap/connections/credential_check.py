"""Credential check: tries to sign in to the IMAP server, for the sign-in page if the server keeps the passwords."""

from __future__ import annotations

from webmail.account import Account
from webmail.imap.connections.connection import Connection


def check(account: Account) -> None:
    """Sign in on a new connection, never a pooled one, and disconnect: 1 round trip after the greeting.

    Raises SignInRefusedError (wrong name or password) or ServerAwayError.
    """
    Connection(account).close()
