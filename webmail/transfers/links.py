"""Links of pages that need no account: 160 bits, drawn from a row's nonce and the instance's secret.

The database holds the nonce and the link's hash: a copy of it opens no page, and yet a link can be shown again. A link may carry
the key of its files too, which is kept nowhere: `<token>.<key>`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import secrets
from enum import StrEnum

from webmail import vault

KEY_BYTES = 32
_TOKEN = re.compile(r"[A-Za-z0-9_-]{27}")


class LinkKind(StrEnum):
    """What a link opens; a token of one kind is none of another."""

    TRANSFER = "transfer"
    RECIPIENT = "recipient"  # a transfer, for one of those it was sent to
    REQUEST = "request"  # a page to send files to somebody
    INVITE = "invite"  # the same, for one of those who were asked
    APPOINTMENT = "appointment"  # what one may book of somebody (webmail/appointments)
    BOOKING = "booking"  # one appointment, for who booked it
    MEETING = "meeting"  # a meeting, for one of its guests (webmail/calendar/guests/guest_links.py)
    POLL = "poll"  # a poll for a date (webmail/polls/)
    VOTER = "voter"  # what somebody answered to one
    RECEIPT = "receipt"  # what somebody without an account sent, for them


def new_nonce() -> str:
    return secrets.token_hex(16)


def token(kind: LinkKind, nonce: str, secret_key: str) -> str:
    """The part of an address that opens the page: 27 characters."""
    drawn = bytes.fromhex(vault.keyed_hash(f"{kind}\n{nonce}", secret_key, "transfer link", 0))
    return base64.urlsafe_b64encode(drawn[:20]).decode().rstrip("=")


def link_hash(given: str) -> str:
    """What a token is looked up by."""
    return hashlib.sha256(given.encode()).hexdigest()


def packed_key(key: bytes) -> str:
    return base64.urlsafe_b64encode(key).decode().rstrip("=")


def key_in(address: str) -> bytes | None:
    """The key that a link carries, however much of its address stands around it; None without one."""
    return parts(address.strip().rstrip("/").rpartition("/")[2].partition("~")[0])[1]


def parts(link: str) -> tuple[str, bytes | None]:
    """The token of a link, and the key that it carries. "" for what is no link of ours."""
    given, dot, key = link.partition(".")
    if not _TOKEN.fullmatch(given):
        return "", None
    if not dot:
        return given, None
    try:
        raw = base64.b64decode(key.encode() + b"=" * (-len(key) % 4), b"-_", validate=True) if len(key) <= 60 else b""
    except (binascii.Error, ValueError):
        raw = b""
    return (given, raw) if len(raw) == KEY_BYTES else ("", None)
