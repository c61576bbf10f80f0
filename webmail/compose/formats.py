"""How a message is written and what its writer wishes: plain or formatted text, its language, priority, receipts.

The copy in Drafts remembers it, and which message is answered, in one header of its own (`build.NOTE`), so that a draft comes
back on any device as it was left. That header is never sent.
"""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from webmail.mime import build, headers, markdown, words

if TYPE_CHECKING:
    from webmail.compose.drafts import Fields

FORMATTED = "markdown"
FORMATS = ("", FORMATTED)
PRIORITIES = ("", "high", "low")
LANGUAGES = {  # those offered, each in its own words
    "br": "Brezhoneg", "ca": "Català", "co": "Corsu", "de": "Deutsch", "en": "English", "es": "Español", "eu": "Euskara",
    "fr": "Français", "it": "Italiano", "la": "Latina", "nl": "Nederlands", "oc": "Occitan", "pl": "Polski", "pt": "Português",
    "ro": "Română", "tr": "Türkçe", "el": "Ελληνικά", "ru": "Русский", "uk": "Українська", "he": "עברית", "ar": "العربية",
    "zh": "中文", "ja": "日本語",
}  # fmt: skip
_NOTED = (
    "format", "priority", "language", "read_receipt", "delivery_receipt",
    "source_mailbox", "source_uidvalidity", "source_uid", "source_flag",
)  # fmt: skip


def checked(values: dict[str, Any]) -> dict[str, Any]:
    """Of the fields of a form those that are about this, as they may be kept; what makes no sense becomes the default."""
    return {
        "format": values["format"] if values["format"] in FORMATS else "",
        "priority": values["priority"] if values["priority"] in PRIORITIES else "",
        "language": values["language"] if markdown.is_language(values["language"]) else "",
        "read_receipt": bool(values["read_receipt"]),
        "delivery_receipt": bool(values["delivery_receipt"]),
    }


def offered(tag: str) -> str:
    """Which of LANGUAGES a tag of RFC 5646 means: "fr-CH" is "fr"; "" for others and for what is no tag."""
    main = tag.partition("-")[0].lower()
    return main if main in LANGUAGES and markdown.is_language(tag) else ""


def note(kept: Fields) -> str:
    """What the copy in Drafts has to remember; "" where that is nothing."""
    values, usual = asdict(kept), {field.name: field.default for field in fields(kept)}
    said = [(name, values[name]) for name in _NOTED if values[name] != usual[name]]
    return "; ".join(f"{name}={quote(str(int(value) if isinstance(value, bool) else value), safe='')}" for name, value in said)


def noted(head: bytes, usual: Fields) -> dict[str, Any]:
    """The fields that the header block of a copy remembers, in the types that `usual` has. Never raises; not checked yet."""
    found: dict[str, Any] = {}
    for value in headers.fields(head).get(build.NOTE.lower(), [])[:1]:
        for item in words.decode(value).split(";"):
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
