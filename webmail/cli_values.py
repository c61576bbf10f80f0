"""Command line values: addresses and accounts as administrators type them, and text that is safe to print."""

from __future__ import annotations

import re

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


_UNITS = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}
_LARGEST = 1024**5


def bytes_of(text: str) -> int:
    """500M, 2G ... in bytes."""
    match = re.fullmatch(r"(\d{1,12})([KMGT]?)B?", text.strip().upper())
    if not match or (size := int(match[1]) * _UNITS[match[2]]) > _LARGEST:
        raise click.ClickException(f"{text!r} is not a size such as 500M or 2G")
    return size


def room_of(quota_bytes: int) -> str:
    """A quota as one types it; 0 is no limit."""
    if not quota_bytes:
        return "no limit"
    unit = next(unit for unit in "TGMK" if quota_bytes >= _UNITS[unit] or unit == "K")
    return f"{round(quota_bytes / _UNITS[unit], 1):g}{unit}"


def printable(text: str) -> str:
    """Replace control characters, since names and server replies are untrusted."""
    return "".join(c if c.isprintable() else "?" for c in text)
