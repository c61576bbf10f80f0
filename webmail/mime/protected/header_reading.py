"""Header reading: the headers inside a protected part (RFC 9788; `protected-headers="v1"` before it), and how the outer differ.

They count only at the root of what was decrypted or verified. Whether they may be shown is decided by who knows whether it was.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from webmail.mail import Address, Envelope
from webmail.mime.headers import headers
from webmail.mime.headers.encoded_words import decode
from webmail.mime.parser import read
from webmail.mime.tree import PartNode

_HEAD = 262_144  # bytes
_MINUTE = 60
_HIDDEN_SUBJECTS = ("", "...", "…", "[...]", "[…]", "encrypted message", "encrypted email")
_BLANK = re.compile(rb"\r?\n\r?\n")
_LEGACY_DIV = re.compile(r'<div[^>]{0,200}class="?header-protection-legacy-display"?[^>]{0,200}>.{0,20000}?</div>', re.S | re.I)


@dataclass(frozen=True, slots=True)
class ProtectedHeaders:
    """The headers inside. `outer`: what the sender wrote outside, where they say it (HP-Outer); {} if they do not."""

    envelope: Envelope
    encrypted: bool  # the sender meant them to be hidden (hp="cipher")
    outer: dict[str, bytes]


def protected_headers(content: bytes) -> ProtectedHeaders | None:
    """Those at the root of `content`, what was inside a protected part; None if it has none."""
    root = read(content).root
    hp = root.params.get("hp", "").strip().lower()
    style = root.params.get("protected-headers", "").strip().lower()
    if hp not in ("clear", "cipher") and style != "v1":
        return None
    head = header_block(content)
    fields = headers.fields(head)
    if not fields.keys() & {"from", "subject", "to", "date", "cc"}:
        return None
    outer: dict[str, bytes] = {}
    for value in fields.get("hp-outer", [])[:50]:
        name, colon, rest = value.partition(b":")
        if colon:
            outer.setdefault(name.strip().decode("ascii", "replace").lower(), rest.strip())
    return ProtectedHeaders(headers.envelope(head), hp == "cipher", outer)


def header_block(content: bytes) -> bytes:
    """The header block of a message, at most 256 KB of it."""
    return _BLANK.split(content[:_HEAD], maxsplit=1)[0] + b"\r\n\r\n"


def combined(outer: Envelope, inner: ProtectedHeaders) -> Envelope:
    """The envelope to be shown: what is protected, and where nothing is, what stands outside. The sender stays the outer one,
    which the mail server's checks are about; a difference is told of (`differences`)."""
    found = inner.envelope
    return replace(
        outer,
        subject=found.subject or outer.subject,
        to=found.to or outer.to,
        cc=found.cc or outer.cc,
        sent=found.sent or outer.sent,
    )


def differences(outer: Envelope, inner: ProtectedHeaders) -> tuple[str, ...]:
    """Which headers say another thing outside than inside, by name: "from", "to", "subject", "date". A subject that was hidden on
    purpose is no difference."""
    found, names = inner.envelope, []
    if found.sender and _emails(found.sender) != _emails(outer.sender):
        names.append("from")
    if (found.to or found.cc) and not _emails(outer.to_and_cc) <= _emails(found.to_and_cc):
        names.append("to")
    if found.subject and not _same_subject(outer.subject, inner):
        names.append("subject")
    if found.sent and outer.sent and abs((found.sent - outer.sent).total_seconds()) > _MINUTE and "date" not in inner.outer:
        names.append("date")
    return tuple(names)


def is_hidden(subject: str) -> bool:
    """Whether a subject is one of those that stand in the place of an encrypted one."""
    return subject.strip().lower() in _HIDDEN_SUBJECTS


def _same_subject(outer: str, inner: ProtectedHeaders) -> bool:
    meant = decode(inner.outer["subject"]) if "subject" in inner.outer else inner.envelope.subject
    return _plain(outer) in (_plain(meant), _plain(inner.envelope.subject)) or is_hidden(outer)


def _plain(subject: str) -> str:
    return " ".join(subject.split())


def _emails(people: tuple[Address, ...]) -> set[str]:
    return {person.email.lower() for person in people}


def without_legacy_text(text: str, node: PartNode) -> str:
    """A plain text without the copy of the headers in it for programs that cannot show them (RFC 9788 section 5.2.2)."""
    if node.params.get("hp-legacy-display", "").strip() != "1":
        return text
    _copy, blank, rest = text.replace("\r\n", "\n").partition("\n\n")
    return rest if blank else text


def without_legacy_html(html: str, node: PartNode) -> str:
    """The same of HTML."""
    return _LEGACY_DIV.sub("", html, count=1) if node.params.get("hp-legacy-display", "").strip() == "1" else html
