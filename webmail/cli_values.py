"""Command line values: addresses and accounts as administrators type them, and text that is safe to print."""

from __future__ import annotations

import click

from webmail.auth.sign_in import normalise
from webmail.models import User
from webmail.web.current import settings


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


def printable(text: str) -> str:
    """Replace control characters, since names and server replies are untrusted."""
    return "".join(c if c.isprintable() else "?" for c in text)
