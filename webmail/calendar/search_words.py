"""The words of events, by which they are found: titles, places, notes, categories, and who is invited."""

from __future__ import annotations

import re

from webmail.mime.headers.encoded_words import words_in

_READ = 20_000  # characters of an object
_MOST = 2_000  # characters of words
_FOLD = re.compile(r"\r?\n[ \t]")
_LINE = re.compile(
    r"^(SUMMARY|LOCATION|DESCRIPTION|CATEGORIES|ATTENDEE|ORGANIZER)((?:;[^\r\n:\"]*(?:\"[^\r\n\"]*\"[^\r\n:\"]*)*)?):([^\r\n]{1,2000})",
    re.MULTILINE | re.IGNORECASE,
)
_NAME = re.compile(r";CN=(\"[^\"]*\"|[^;]*)", re.IGNORECASE)


def words_of(text: str) -> str:
    """The words of an object, each once, with a space before each. Reads a bounded part of the text."""
    parts = []
    for name, params, value in _LINE.findall(_FOLD.sub("", text[:_READ])):
        if name.upper() in ("ATTENDEE", "ORGANIZER"):
            parts += [*_NAME.findall(params)[:1], value[7:] if value[:7].lower() == "mailto:" else ""]
        else:
            parts.append(value.replace("\\n", " ").replace("\\N", " ").replace("\\", ""))
    return "".join(f" {word}" for word in dict.fromkeys(words_in(" ".join(parts))))[:_MOST]
