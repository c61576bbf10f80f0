"""Names: what people type to say who they are, as the address that it stands for. No Flask here."""

from __future__ import annotations

import re

_LOCAL, _DOMAIN = re.compile(r"\w[\w.!#$&'*+=?^{|}~-]{0,63}"), re.compile(r"\w[\w.-]{0,189}")
_ADDRESS = re.compile(r"[^\s@\x00-\x1f\x7f]{1,190}@[^\s@\x00-\x1f\x7f]{1,190}")


def normalise(address_or_name: str, domain: str) -> str:
    """`local@domain` in lower case, with `domain` appended if none was typed; "" if invalid.

    Nothing invisible: it is printed in terminals and audit logs, and could be taken for somebody else's address.

    Lower-cased as in Dovecot, so that "Alice" and "alice" are the same user with the same rate limit.
    """
    text = address_or_name.strip().lower()
    if "@" not in text and domain:
        text = f"{text}@{domain.lower()}"
    return text if _ADDRESS.fullmatch(text) and len(text) <= 254 and text.isprintable() else ""


def is_for_account(address: str) -> bool:
    """Whether a new account may have this address (normalised): both parts name folders of the mail server."""
    local, _at, domain = address.rpartition("@")
    return bool(_LOCAL.fullmatch(local) and _DOMAIN.fullmatch(domain)) and ".." not in address
