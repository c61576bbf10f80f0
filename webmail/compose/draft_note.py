"""The note in the copy in Drafts: what a message has no header for, kept in one of our own that is never sent."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from webmail.mime import builder, encoded_words, headers

if TYPE_CHECKING:
    from webmail.compose.fields import Fields


_NOTED = (
    "format", "priority", "language", "read_receipt", "delivery_receipt",
    "source_mailbox", "source_uidvalidity", "source_uid", "source_flag",
)  # fmt: skip


def to_header(kept: Fields) -> str:
    """What the copy in Drafts has to remember; "" where that is nothing."""
    values, usual = asdict(kept), {field.name: field.default for field in fields(kept)}
    said = [(name, values[name]) for name in _NOTED if values[name] != usual[name]]
    return "; ".join(f"{name}={quote(str(int(value) if isinstance(value, bool) else value), safe='')}" for name, value in said)


def from_header(head: bytes, usual: Fields) -> dict[str, Any]:
    """The fields that the header block of a copy remembers, in the types that `usual` has. Never raises; not checked yet."""
    found: dict[str, Any] = {}
    for value in headers.fields(head).get(builder.NOTE.lower(), [])[:1]:
        for item in encoded_words.decode(value).split(";"):
            name, _equals, quoted = item.strip().partition("=")
            if name in _NOTED:
                found[name] = _typed(unquote(quoted), getattr(usual, name))
    return found


def _typed(text: str, usual: object) -> Any:
    if isinstance(usual, bool):
        return text == "1"
    if isinstance(usual, int):
        return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
    return text
