"""Proof: the header by which Traboule knows again what its own outbox sent, where no mail server says who had signed in.

An HMAC-SHA-256 with a key made of `secret_key`, which all machines of an installation share. It covers what makes a message
somebody's: From, Sender, Reply-To, To, Cc, Subject, Date, Message-ID, the MIME headers, whether each is there and how often, and
the whole body. So it can't be lifted onto another text, another sender or other recipients; the very same message sent again is
still that person's. White space at the ends of lines and the folding of headers may change on the way, nothing else.

`deploy/milter/` reads this module by its path: it needs nothing but the standard library.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re

NAME = "X-Traboule-Proof"
LARGEST = 512 * 1024  # bytes of a message that is marked, since it is read as a whole to verify it
_COVERED = (
    "from", "sender", "reply-to", "to", "cc", "subject", "date", "message-id", "in-reply-to", "references", "mime-version",
    "content-type", "content-transfer-encoding", "disposition-notification-to", "list-unsubscribe",
)  # fmt: skip
_VERSION = "v=1"
_BREAK = re.compile(rb"\r\n(?![ \t])")
_BLANKS = re.compile(rb"[ \t\r\n]+")


def header(message: bytes, secret: str) -> bytes:
    """The header line to put above a message, with its line end; empty for one that is too large."""
    if not secret or len(message) > LARGEST:
        return b""
    return f"{NAME}: {_VERSION}; {_sum(message, secret)}\r\n".encode()


def renewed(message: bytes, secret: str) -> bytes:
    """A message of ours whose header was changed, such as its date, with its proof made anew; others are returned unchanged."""
    line, _end, rest = message.partition(b"\r\n")
    return header(rest, secret) + rest if line.startswith(f"{NAME}: ".encode()) else message


def verifies(message: bytes, secret: str) -> bool:
    """Whether the message, as the mailbox has it, has one proof and it is ours. Constant time for what it compares."""
    head = _lines(message).partition(b"\r\n\r\n")[0]
    found = [value for name, value in _headers(head) if name == NAME.lower().encode()]
    if not secret or len(found) != 1 or len(message) > 2 * LARGEST:
        return False
    version, _semicolon, given = found[0].partition(b"; ")
    return version == _VERSION.encode() and hmac.compare_digest(given, _sum(message, secret).encode())


def _sum(message: bytes, secret: str) -> str:
    head, _blank, body = _lines(message).partition(b"\r\n\r\n")
    covered: dict[bytes, list[bytes]] = {name.encode(): [] for name in _COVERED}
    for name, value in _headers(head):
        if name in covered:
            covered[name].append(value)
    key = hashlib.sha256(b"traboule proof\0" + secret.encode()).digest()
    made = hmac.new(key, _VERSION.encode(), hashlib.sha256)
    for name, values in covered.items():
        made.update(b"%s %d\n" % (name, len(values)))
        for value in values:
            made.update(b"%d:%s\n" % (len(value), value))
    made.update(hashlib.sha256(_canonical(body)).digest())
    return base64.urlsafe_b64encode(made.digest()).rstrip(b"=").decode()


def _headers(head: bytes) -> list[tuple[bytes, bytes]]:
    fields = (field.partition(b":") for field in _BREAK.split(head))
    return [(name.strip().lower(), _BLANKS.sub(b" ", value).strip()) for name, _colon, value in fields]


def _lines(message: bytes) -> bytes:
    return re.sub(rb"\r\n|\r|\n", b"\r\n", message)


def _canonical(body: bytes) -> bytes:
    """The body without white space at the ends of lines and empty lines at its end, which servers may change."""
    return b"\n".join(line.rstrip(b" \t") for line in body.split(b"\r\n")).rstrip(b"\n")
