"""Command line values: addresses and accounts as administrators type them, and text that is safe to print."""

from __future__ import annotations

import click

from webmail.admin.people import sizes
from webmail.auth.sign_in.names import normalise
from webmail.models import User
from webmail.web.current import settings

LONGEST_NAME = 190  # the column's length


def address_of(text: str) -> str:
    address = normalise(text, settings().domain)
    if not address:
        raise click.ClickException(f"{text!r} is not an address such as alice@lycee.example")
    return address


def account_of(address: str) -> User:
    user = User.get_or_none(User.address == address_of(address))
    if user is None:
        raise click.ClickException(f"there is no account {address}; `accounts list` shows all")
    return user


def last_words(user: User) -> str:
    """Why somebody can't be disabled, demoted or deleted: LastAdministratorError."""
    return f"{user.address} is the last administrator: make somebody else one first (`accounts role`)"


def bytes_of(text: str) -> int:
    """500M, 2G, 1.5G ... in bytes."""
    size = sizes.bytes_typed(text)
    if size is None:
        raise click.ClickException(f"{text!r} is not a size such as 500M or 2G")
    return size


def room_of(quota_bytes: int) -> str:
    """A quota as one types it; 0: no limit."""
    return sizes.as_typed(quota_bytes) or "no limit"


def printable(text: str) -> str:
    """Replace control characters, since names and server replies are untrusted."""
    return "".join(c if c.isprintable() else "?" for c in text)


def name_of(text: str) -> str:
    """A display name as it is kept: one line of printable characters."""
    name = " ".join(text.split())
    if not name.isprintable() or len(name) > LONGEST_NAME:
        raise click.ClickException(f"a name can have at most {LONGEST_NAME} characters, and no control characters")
    return name
