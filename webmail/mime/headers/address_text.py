"""Address text: formats addresses for a form field, quoted so that they parse back unchanged (RFC 5322 section 3.2.4)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from webmail.mail import Address

_PHRASE = re.compile(r"[\w !#$%&'*+/=?^`{|}~-]*\Z")


def address_text(addresses: Iterable[Address]) -> str:
    """Format addresses for a form field; names with special characters are quoted (RFC 5322 section 3.2.4)."""
    return ", ".join(_one_address(address) for address in addresses)


def _one_address(address: Address) -> str:
    # angle brackets in a name would look like a second address, to people and to the parser
    name = " ".join(address.name.replace("<", " ").replace(">", " ").split())
    if not name or name == address.email:
        return address.email
    if not _PHRASE.match(name):
        name = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return f"{name} <{address.email}>"
