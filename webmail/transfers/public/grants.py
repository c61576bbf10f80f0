"""Grants: what a visitor of a public link has shown, signed: in a cookie of that link, or in its address where none is taken.

`<token>[.<key>]~<grant>` stands wherever the link does: pages, files and archives below it are reached by one path, and programs
such as curl and wget name files as they should. A grant works for its own link alone, and not after its transfer got another
password. Addresses are kept in histories and passed on, so a pass (a password, a code or a sign-in was shown) is good for an hour
there. One with CONFIRMED is a ticket: somebody pressed a button, so what it fetches counts as downloaded.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
import struct
import time
from dataclasses import dataclass, replace
from enum import IntFlag

from webmail import vault
from webmail.models import Transfer

LIFE = 12 * 3600  # seconds: a large file on a slow line, broken off and resumed
IN_ADDRESS = 3600  # of a pass
MARK = "~"
_FORM = struct.Struct(">BIQ8s")
_MAC = 15  # bytes: with the rest a multiple of three, so that there is one way to write each
_LENGTH = 4 * (_FORM.size + _MAC) // 3


class Right(IntFlag):
    """What was shown."""

    PASSWORD = 1
    CODE = 2  # by mail: `recipient` is who
    SIGNED_IN = 4
    CONFIRMED = 8  # a person pressed a button
    OWN = 16  # by the transfer's owner: nothing is counted


PASSES = Right.PASSWORD | Right.CODE | Right.SIGNED_IN


@dataclass(frozen=True, slots=True)
class Grant:
    """`recipient`: the id of a row, 0 for nobody in particular. `ticket`: random, hex; "" until a button was pressed."""

    rights: Right = Right(0)
    recipient: int = 0
    ticket: str = ""
    until: int = 0  # seconds since 1970

    def with_right(self, right: Right, recipient: int = 0) -> Grant:
        return replace(self, rights=self.rights | right, recipient=recipient or self.recipient)

    def without(self, rights: Right) -> Grant:
        return replace(self, rights=self.rights & ~rights)

    def confirmed(self) -> Grant:
        """A ticket of its own for each button that is pressed."""
        return replace(self, rights=self.rights | Right.CONFIRMED, ticket=secrets.token_hex(8))


def pack(grant: Grant, token: str, transfer: Transfer, secret_key: str, *, in_cookie: bool = False) -> str:
    """The signed text. A grant that was given before ends when it would have: nobody renews it by using it."""
    ticket = bytes.fromhex(grant.ticket) if grant.ticket else bytes(8)
    until = int(time.time()) + (IN_ADDRESS if grant.rights & PASSES and not in_cookie else LIFE)
    body = _FORM.pack(int(grant.rights), min(grant.until or until, until), grant.recipient, ticket)
    return base64.urlsafe_b64encode(body + _mac(body, token, transfer, secret_key)).decode()


def unpack(text: str, token: str, transfer: Transfer, secret_key: str) -> Grant:
    """What was granted; nothing, if it is over or was not signed here."""
    try:
        raw = base64.b64decode(text.encode(), b"-_", validate=True) if len(text) == _LENGTH else b""
    except (binascii.Error, ValueError):
        raw = b""
    body, mac = raw[: _FORM.size], raw[_FORM.size :]
    if len(body) != _FORM.size or not hmac.compare_digest(mac, _mac(body, token, transfer, secret_key)):
        return Grant()
    rights, until, recipient, ticket = _FORM.unpack(body)
    return Grant(Right(rights), recipient, ticket.hex() if any(ticket) else "", until) if until > time.time() else Grant()


def _mac(body: bytes, token: str, transfer: Transfer, secret_key: str) -> bytes:
    told = f"{token}\n{body.hex()}\n{transfer.password}"
    return bytes.fromhex(vault.keyed_hash(told, secret_key, "transfer grant", transfer.id))[:_MAC]
