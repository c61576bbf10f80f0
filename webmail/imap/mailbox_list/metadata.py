"""Metadata: texts that the server keeps with INBOX for this person alone (RFC 5464), where its own scripts can read them."""

from __future__ import annotations

from imapclient.response_parser import parse_response

from webmail.imap.connections.commands import text
from webmail.imap.connections.connection import Connection

_MAILBOX = b'"INBOX"'


def is_kept(connection: Connection) -> bool:
    """Whether the server keeps any."""
    return connection.has("METADATA")


def read(connection: Connection, name: str) -> str:
    """The text under a name such as "/private/vendor/traboule/safe"; "" for none. 1 round trip."""
    answers = connection.run((b"GETMETADATA", _MAILBOX, text(name))).get("METADATA")
    if not answers:
        return ""
    pairs = parse_response(answers)[-1]
    value = pairs[1] if isinstance(pairs, tuple) and len(pairs) > 1 else None
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else ""


def write(connection: Connection, name: str, value: str) -> None:
    """Keep a text under a name; "" removes it. 1 round trip. Raises UnsafeValueError, RefusedError."""
    raw = text(value)
    literal = b"{%d+}\r\n%b" % (len(raw), raw) if raw else b"NIL"
    connection.run((b"SETMETADATA", _MAILBOX, b"(" + text(name) + b" " + literal + b")"))
