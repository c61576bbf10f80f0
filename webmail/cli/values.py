"""Command line values: addresses and accounts as administrators type them, and text that is safe to print."""

from __future__ import annotations

import re
from decimal import Decimal

import click

from webmail.auth.sign_in.names import normalise
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
    """500M, 2G, 1.5G ... in bytes."""
    match = re.fullmatch(r"([0-9]{1,12}(?:\.[0-9])?)([KMGT]?)B?", text.strip().upper())
    if not match or (size := int(Decimal(match[1]) * _UNITS[match[2]])) > _LARGEST:
        raise click.ClickException(f"{text!r} is not a size such as 500M or 2G")
    return size


def room_of(quota_bytes: int) -> str:
    """A quota as one types it, exactly and with one decimal at most, so that `bytes_of` reads it back; 0: no limit."""
    for unit in "TGMK":
        tenths = round(quota_bytes * 10 / _UNITS[unit])
        if tenths >= 10 and tenths * _UNITS[unit] // 10 == quota_bytes:
            return f"{tenths / 10:g}{unit}" if tenths % 10 else f"{tenths // 10}{unit}"
    return str(quota_bytes) if quota_bytes else "no limit"


def printable(text: str) -> str:
    """Replace control characters, since names and server replies are untrusted."""
    return "".join(c if c.isprintable() else "?" for c in text)
