"""Payload: a built message made ready to be signed or encrypted, with its header inside (RFC 9788), and what stays outside.

The header is copied into the part that is protected, in both ways that programs read: `hp="clear"` or `hp="cipher"` with HP-Outer
lines (RFC 9788), and `protected-headers="v1"`, which Thunderbird knows. Of an encrypted message the subject is nowhere else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

OUTER_SUBJECT = b"Subject: ..."  # what stands outside in place of an encrypted subject
_FIELD_END = re.compile(rb"\r\n(?![ \t])")
_OUTSIDE_ALONE = re.compile(
    rb"(?:mime-version|bcc|x-traboule-[a-z-]+|autocrypt|received|return-path|resent-[a-z-]+)[ \t]*:", re.I
)
_HIDDEN = re.compile(rb"(?:comments|keywords)[ \t]*:", re.I)  # with the subject, RFC 9788 section 3.2.1 (hcp_baseline)
_MIME = re.compile(rb"content-[a-z-]+[ \t]*:", re.I)


@dataclass(frozen=True, slots=True)
class Payload:
    """A part ready to be signed or encrypted: `content`, with CRLF line ends. `header`: the lines of the message around it,
    without those of MIME."""

    content: bytes
    header: bytes


def split(message: bytes) -> tuple[list[bytes], bytes]:
    """The header fields of a message with CRLF line ends, each with its folds and without its line end, and the body."""
    head, _blank, body = message.partition(b"\r\n\r\n")
    return [field for field in _FIELD_END.split(head) if field], body


def for_signing(message: bytes) -> Payload:
    """Of a message that everybody can read: the header stays outside as it is."""
    fields, body = split(message)
    own = [field for field in fields if not _MIME.match(field)]
    return Payload(_part(fields, body, b"clear", []), _joined(own))


def for_encrypting(message: bytes) -> Payload:
    """Of a message of which only those who can decrypt it learn the subject and what is in it."""
    fields, body = split(message)
    outside = [field for field in fields if not _MIME.match(field) and not _HIDDEN.match(field)]
    outside = [OUTER_SUBJECT if field[:8].lower() == b"subject:" else field for field in outside]
    told = [field for field in outside if not _OUTSIDE_ALONE.match(field)]
    return Payload(_part(fields, body, b"cipher", told), _joined(outside))


def _part(fields: list[bytes], body: bytes, kind: bytes, outer: list[bytes]) -> bytes:
    """The part: the message's own header first, then HP-Outer for each line that stands outside too, then the lines of MIME."""
    inside = [field for field in fields if not _MIME.match(field) and not _OUTSIDE_ALONE.match(field)]
    mime = [field for field in fields if _MIME.match(field)]
    if not any(field[:13].lower() == b"content-type:" for field in mime):
        mime = [b"Content-Type: text/plain; charset=us-ascii", *mime]
    marked = [
        field + b';\r\n protected-headers="v1"; hp="' + kind + b'"' if field[:13].lower() == b"content-type:" else field
        for field in mime
    ]
    return _joined([*inside, *(b"HP-Outer: " + field for field in outer), *marked]) + b"\r\n" + body


def _joined(fields: list[bytes]) -> bytes:
    return b"".join(field + b"\r\n" for field in fields)
