"""How a message is written and what its writer wishes: plain or formatted text, its language, priority, receipts.

The copy in Drafts remembers it, and which message is answered, in one header of its own (`build.NOTE`), so that a draft comes
back on any device as it was left. That header is never sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from webmail.mime.html import markdown

if TYPE_CHECKING:
    pass

FORMATTED = "markdown"
FORMATS = ("", FORMATTED)
PRIORITIES = ("", "high", "low")
LANGUAGES = {  # those offered, each in its own words
    "br": "Brezhoneg", "ca": "Català", "co": "Corsu", "de": "Deutsch", "en": "English", "es": "Español", "eu": "Euskara",
    "fr": "Français", "it": "Italiano", "la": "Latina", "nl": "Nederlands", "oc": "Occitan", "pl": "Polski", "pt": "Português",
    "ro": "Română", "tr": "Türkçe", "el": "Ελληνικά", "ru": "Русский", "uk": "Українська", "he": "עברית", "ar": "العربية",
    "zh": "中文", "ja": "日本語",
}  # fmt: skip


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
