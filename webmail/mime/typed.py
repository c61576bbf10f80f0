"""What a person typed into To, Cc or Bcc, to addresses that mail can be sent to."""

from __future__ import annotations

import re

from webmail.mail import Address, BadAddress
from webmail.mime.addresses import read_address, split_list
from webmail.mime.words import tidy

_ATOMS = re.compile(r"[^\s\"(),:;<>@\[\\\]\x00-\x20\x7f]+")
_QUOTED = re.compile(r'"[^"\\\s<>,;\x00-\x1f\x7f]+"')  # without what would need care on each hop
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?", re.I)
_LITERAL = re.compile(r"\[(?:\d{1,3}(?:\.\d{1,3}){3}|IPv6:[0-9a-f:.]+)\]", re.I)


def parse_addresses(text: str) -> tuple[Address, ...]:
    """Addresses separated by commas, semicolons or line ends; names, quotes, comments and groups as in headers.

    Internationalised domains stay as they were typed (`ascii_address` is for the wire). Raises BadAddress with the piece
    that is none; a line end inside a quoted name is one.
    """
    found: list[Address] = []
    for piece in split_list(text.replace("\r\n", "\n").replace("\r", "\n"), separators=",;\n"):
        typed = piece.strip()
        if not typed:
            continue
        address = read_address(typed)
        if "\n" in typed or "\0" in typed or address is None or not _deliverable(address.email):
            raise BadAddress(tidy(typed)[:200])
        if "<" not in typed and "@" in address.name and "(" not in typed:  # two addresses with a blank between
            raise BadAddress(tidy(typed)[:200])
        if typed.count("<") > 1 or ("<" in typed and not re.search(r">\s*(?:\(.*\)\s*)?\Z", typed)):
            raise BadAddress(tidy(typed)[:200])
        found.append(address)
    return tuple(found)


def _deliverable(email: str) -> bool:
    """RFC 5321 section 4.1.2 and 4.5.3.1, RFC 6531 for what is not ASCII."""
    local, at, domain = email.rpartition("@")
    if not at or not local or len(local.encode("utf-8", "replace")) > 64 or len(email) > 254:
        return False
    if not _QUOTED.fullmatch(local) and not (
        _ATOMS.fullmatch(local) and not local.startswith(".") and not local.endswith(".") and ".." not in local
    ):
        return False
    if _LITERAL.fullmatch(domain):
        return True
    try:
        return all(_LABEL.fullmatch(label) and len(label) < 64 for label in ascii_domain(domain).split("."))
    except UnicodeError:
        return False


def ascii_domain(domain: str) -> str:
    """The domain as DNS has it ("xn--..."). Raises UnicodeError for what can't be one. (Python's codec is IDNA 2003.)"""
    if domain.isascii():
        return domain
    return domain[:253].encode("idna").decode("ascii")


def ascii_address(email: str) -> str:
    """The address with its domain in ASCII; the local part stays (RFC 6531 when it is not ASCII)."""
    local, at, domain = email.rpartition("@")
    try:
        return f"{local}{at}{ascii_domain(domain)}"
    except UnicodeError:
        raise BadAddress(tidy(email)[:200]) from None
