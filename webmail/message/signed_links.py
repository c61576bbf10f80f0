"""Addresses of ours that carry one from a message: signed, so that nobody else makes them; and what to say of a link."""

from __future__ import annotations

import base64
import binascii
import hmac
from dataclasses import dataclass
from urllib.parse import quote

from webmail.mime.html import link_claims
from webmail.mime.threats import lookalike


def signature(secret: str, person: int, *words: str) -> str:
    """Says that we made an address of these words for this person. It holds for good: what it opens is checked anew."""
    told = "\0".join((str(person), *words))
    return hmac.digest(secret.encode(), told.encode("utf-8", "surrogatepass"), "sha256").hex()[:32]


def is_signed(given: str, secret: str, person: int, *words: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), signature(secret, person, *words).encode())


def packed(url: str) -> str:
    """A URL as one piece of a path."""
    return base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")


def unpacked(text: str) -> str:
    """The URL again, "" where there is none."""
    try:
        return base64.b64decode(text.encode() + b"=" * (-len(text) % 4), b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        return ""


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a link leads, to be read by a person: what stands before its host, the host as DNS has it, and what comes after."""

    before: str
    host: str
    after: str
    readable: str  # the host in the letters of its owner
    deceives: bool  # whether those letters imitate others


def destination(url: str) -> Destination:
    """Read an http(s) address as a browser does. ASCII only: letters that look alike can't hide in it."""
    host = link_claims.host_of(url)
    scheme, _slashes, rest = url.partition("://")
    authority = rest[: min((i for i in (rest.find(c) for c in "/\\?#") if i >= 0), default=len(rest))]
    user, at, server = authority.rpartition("@")
    port = server[server.rfind(":") :] if server.rpartition(":")[2].isdigit() else ""
    path = rest[len(authority) :]
    readable = lookalike.readable(host)
    return Destination(
        f"{scheme.lower()}://{_ascii(user)}{at}", host, f"{port}{_ascii(path)}", readable, lookalike.deceives(readable)
    )


def _ascii(text: str) -> str:
    return quote(text, safe="/?:@!$&'()*+,;=~%-._[]|^`{}#\\ \"<>")
