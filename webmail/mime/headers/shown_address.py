"""Shown address: an address for people to read: domains encoded as "xn--..." (RFC 3492) in their own letters, if that is safe."""

from __future__ import annotations

from functools import lru_cache

from webmail.mime.headers import address_input
from webmail.mime.threats import lookalike


@lru_cache(maxsize=4096)
def readable_address(email: str) -> str:
    """The address with its domain in Unicode ("bücher.example"). Unchanged where that would hide something: letters of several
    scripts in one word, or foreign letters that look Latin; and where the domain is invalid or is not plain ASCII already.
    """
    local, at, domain = email.rpartition("@")
    if "xn--" not in domain.lower():
        return email
    try:
        shown = address_input.shown_domain(domain.lower())
    except UnicodeError:
        return email
    return email if lookalike.deceives(domain) else f"{local}{at}{shown}"
