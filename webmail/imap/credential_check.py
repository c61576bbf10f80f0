"""Does the IMAP server know this person? The check behind the sign-in page where the server keeps the passwords."""

from __future__ import annotations

from webmail.account import Account
from webmail.imap.connection import Connection


def check(account: Account) -> None:
    """Sign in on a connection of its own and hang up: 1 round trip after the greeting, never a pooled connection.

    Raises SignInRefused (wrong name or password) or ServerAway.
    """
    Connection(account).close()
