"""Signed links: URLs of ours that contain one from a message, signed with HMAC; and parsing a link's destination for display."""

from __future__ import annotations

import base64
import binascii
import hmac
from dataclasses import dataclass
from urllib.parse import quote

from webmail.mime.html import link_claims
from webmail.mime.threats import lookalike


def signature(secret: str, person: int, *words: str) -> str:
    """An HMAC-SHA256 of these values for this user, hex, 128 bits. Never expires: the link's target is checked on each use."""
    told = "\0".join((str(person), *words))
    return hmac.digest(secret.encode(), told.encode("utf-8", "surrogatepass"), "sha256").hex()[:32]


def is_signed(given: str, secret: str, person: int, *words: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), signature(secret, person, *words).encode())


def packed(url: str) -> str:
    """A URL encoded as a single path segment (base64url)."""
    return base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")


def unpacked(text: str) -> str:
    """Decode what `packed` encoded; "" if invalid."""
    try:
        return base64.b64decode(text.encode() + b"=" * (-len(text) % 4), b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        return ""


@dataclass(frozen=True, slots=True)
class Destination:
    """A link's target, split for display: the part before its host, the host in Punycode, and the part after."""

    before: str
    host: str
    after: str
    readable: str  # the host in Unicode
    deceives: bool  # whether it is a homograph of another name


def destination(url: str) -> Destination:
    """Parse an http(s) URL as browsers do. ASCII only, so that look-alike letters can't hide in it."""
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
