"""Message options: plain or formatted text, language, priority and receipts.

The copy in Drafts stores them in a private header (see `draft_note.py`), so that a draft can be resumed on any device.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from webmail.mime.html import markdown

if TYPE_CHECKING:
    pass

_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
FORMATTED = "markdown"
FORMATS = ("", FORMATTED)
PRIORITIES = ("", "high", "low")
LANGUAGES = {  # those offered, each named in its own language
    "br": "Brezhoneg", "ca": "Català", "co": "Corsu", "de": "Deutsch", "en": "English", "es": "Español", "eu": "Euskara",
    "fr": "Français", "it": "Italiano", "la": "Latina", "nl": "Nederlands", "oc": "Occitan", "pl": "Polski", "pt": "Português",
    "ro": "Română", "tr": "Türkçe", "el": "Ελληνικά", "ru": "Русский", "uk": "Українська", "he": "עברית", "ar": "العربية",
    "zh": "中文", "ja": "日本語",
}  # fmt: skip


def checked(values: dict[str, Any]) -> dict[str, Any]:
    """The options among a form's fields, validated for storing: invalid values become the default."""
    return {
        "format": values["format"] if values["format"] in FORMATS else "",
        "priority": values["priority"] if values["priority"] in PRIORITIES else "",
        "language": values["language"] if markdown.is_language(values["language"]) else "",
        "read_receipt": bool(values["read_receipt"]),
        "delivery_receipt": bool(values["delivery_receipt"]),
        "answer_by": values["answer_by"] if _DAY.fullmatch(values["answer_by"]) else "",
    }


def language_key(tag: str) -> str:
    """The key of LANGUAGES for a language tag (RFC 5646): "fr-CH" gives "fr"; "" for other languages and invalid tags."""
    main = tag.partition("-")[0].lower()
    return main if main in LANGUAGES and markdown.is_language(tag) else ""
