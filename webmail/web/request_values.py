"""Values of a request that need a check before use: an address to go back to, a UIDVALIDITY."""

from __future__ import annotations

from flask import request

from webmail.errors import (
    MailboxChanged,
)


def local_path(target: str) -> str:
    """`target` if a browser would stay on this site with it, else "".

    Browsers read a backslash as a slash and drop tabs and line ends, so a backslash after the first slash, or a tab
    between two slashes, leaves the site as "//host" does (WHATWG URL, section 4.4).
    """
    if not target.startswith("/") or target.startswith("//") or len(target) > 2000:
        return ""
    return target if "\\" not in target and target.isprintable() else ""


def uidvalidity() -> int | None:
    """The UIDVALIDITY that a link was made under, where it says so. Raises MailboxChanged for what can be none (RFC 3501
    section 9)."""
    number = request.args.get("v", None, int)
    if number is not None and not 0 < number < 2**32:
        raise MailboxChanged(f"{number} is no UIDVALIDITY")
    return number
