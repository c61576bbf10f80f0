"""Signing: what a request to FileSender's REST API is signed with, as pure functions.

The signed text is `method&host/path?arguments[&body]`: the method in lower case, the host without its port, the arguments sorted
by name and not encoded. FileSender refuses what was signed more than 15 seconds before its own clock.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import quote, urlsplit

PATIENCE = 15  # seconds that a signature holds
ALGORITHMS = ("sha1", "sha256", "sha512")  # that its `auth_remote_signature_algorithm` may name


def signed_text(method: str, url: str, arguments: Mapping[str, str], body: bytes = b"") -> bytes:
    """`url`: without arguments. PHP takes a body that is the one letter `0` for none."""
    parts = urlsplit(url)
    told = "&".join(f"{name}={arguments[name]}" for name in sorted(arguments))
    text = f"{method.lower()}&{parts.hostname or ''}{parts.path}?{told}".encode()
    return text if body in (b"", b"0") else text + b"&" + body


def signature(secret: str, text: bytes, algorithm: str = "sha1") -> str:
    return hmac.new(secret.encode(), text, getattr(hashlib, algorithm)).hexdigest()


def signed_address(
    method: str, url: str, arguments: Mapping[str, str], body: bytes, secret: str, algorithm: str = "sha1"
) -> str:  # fmt: skip
    """The address to ask, with its arguments and their signature."""
    text = signed_text(method, url, arguments, body)
    pairs = [*sorted(arguments.items()), ("signature", signature(secret, text, algorithm))]
    return f"{url}?" + "&".join(f"{name}={quote(value, safe='')}" for name, value in pairs)
