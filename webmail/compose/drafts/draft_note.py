"""Draft note: what no standard header can hold, stored in a private header (`builder.NOTE`) of the Drafts copy, never sent."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from webmail.mime import builder
from webmail.mime.headers import encoded_words, headers

if TYPE_CHECKING:
    from webmail.compose.drafts.fields import Fields


_MARK = "copy"
_NOTED = (
    "format", "priority", "language", "read_receipt", "delivery_receipt",
    "source_mailbox", "source_uidvalidity", "source_uid", "source_flag", "link_days", "answer_by", "protection",
)  # fmt: skip


def to_header(stored: Fields) -> str:
    """The header value with the options and source that differ from their defaults; "" when none does."""
    values, usual = asdict(stored), {field.name: field.default for field in fields(stored)}
    said = [(name, values[name]) for name in _NOTED if values[name] != usual[name]]
    return "; ".join(f"{name}={quote(str(int(value) if isinstance(value, bool) else value), safe='')}" for name, value in said)


def marked(note: str, mark: str) -> str:
    """The header value with the mark of this copy, by which it is found if its UID was never heard of."""
    return "; ".join(part for part in (f"{_MARK}={mark}", note) if part)


def mark_of(head: bytes) -> str:
    """The mark in a copy's header block; "" if there is none. Never raises."""
    for item in _items(head):
        name, _equals, mark = item.strip().partition("=")
        if name == _MARK and mark.isascii() and mark.isalnum() and len(mark) <= 16:
            return mark
    return ""


def _items(head: bytes) -> list[str]:
    values = headers.fields(head).get(builder.NOTE.lower(), [])[:1]
    return [item for value in values for item in encoded_words.decode(value).split(";")]


def from_header(head: bytes, usual: Fields) -> dict[str, Any]:
    """Parse the note in a copy's header block into field values, typed as in `usual`. Never raises; values are not validated."""
    found: dict[str, Any] = {}
    for item in _items(head):
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
