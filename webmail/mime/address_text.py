"""Address text: addresses as a form's field shows them, quoted so that they read back the same (RFC 5322 section 3.2.4)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from webmail.mail import Address

_PHRASE = re.compile(r"[\w !#$%&'*+/=?^`{|}~-]*\Z")


def address_text(addresses: Iterable[Address]) -> str:
    """Addresses as a field of the form shows them; a name that could be taken for syntax is quoted (RFC 5322 section 3.2.4)."""
    return ", ".join(_one_address(address) for address in addresses)


def _one_address(address: Address) -> str:
    # a name with brackets would look like a second address, to people and to the reader of the field
    name = " ".join(address.name.replace("<", " ").replace(">", " ").split())
    if not name or name == address.email:
        return address.email
    if not _PHRASE.match(name):
        name = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return f"{name} <{address.email}>"
