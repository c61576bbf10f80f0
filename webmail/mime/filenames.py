"""File names of parts: out of their parameters (RFC 2231, and RFC 2047 where it should not be), safe to show and save."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import unquote_to_bytes

from webmail.mime.charsets import decode_bytes, raw_bytes
from webmail.mime.encoded_words import decode, decode_words

NAME_LIMIT = 200
_EXTENSION = re.compile(r"\.[^.\s/\\]{1,20}\Z")
# Controls, line and paragraph separators, all direction marks (they turn "gpj.exe" around), zero-width space, BOM.
_UNWANTED = re.compile("[\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u061c\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")
_NOT_IN_NAMES = re.compile(r'[<>:"|?*]')  # Windows refuses them
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?\Z", re.I | re.S)
_SEGMENT = re.compile(r"(filename|name)(?:\*(\d{1,3}))?(\*?)\Z")


def filename(params: dict[str, str]) -> str:
    """The name that parameters of Content-Disposition and Content-Type give, or "".

    `params` are raw: "filename*0*" and the like are joined here. `filename` goes before `name`, RFC 2231 before plain.
    """
    lower = {key.lower(): value for key, value in list(params.items())[:200]}
    for wanted in ("filename", "name"):
        for found in (_extended(lower, wanted), _plain(lower.get(wanted, ""))):
            if name := safe_name(found):
                return name
    return ""


def turns(params: dict[str, str]) -> bool:
    """Whether a name holds what makes a reader see its letters in another order; `filename` has taken it out."""
    lower = {key.lower(): value for key, value in list(params.items())[:200]}
    names = [found for wanted in ("filename", "name") for found in (_extended(lower, wanted), _raw(lower.get(wanted, "")))]
    return any(_TURNING.search(name) for name in names)


def _raw(value: str) -> str:
    """Encoded words undone without taking anything out."""
    return decode_words(decode_bytes(raw_bytes(value[:4000])))


def _plain(value: str) -> str:
    return decode(raw_bytes(value[:4000]))


def _extended(params: dict[str, str], wanted: str) -> str:
    """RFC 2231 sections 3 and 4: segments in their order, percent-decoded where starred, charset from the first."""
    segments: dict[int, tuple[bool, str]] = {}
    for key, value in params.items():
        match = _SEGMENT.match(key)
        if match and match[1] == wanted and key != wanted:
            segments.setdefault(int(match[2] or 0), (bool(match[3]), value))
    charset = ""
    data = b""
    for number in range(len(segments)):
        if number not in segments:
            break
        starred, value = segments[number]
        if starred and number == 0 and value.count("'") >= 2:
            charset, _language, value = value.split("'", 2)
        data += unquote_to_bytes(raw_bytes(value)) if starred else raw_bytes(value)
        if len(data) > 8000:
            break
    return decode_bytes(data, charset)


def safe_name(name: str) -> str:
    """A name without path, controls, direction marks or what file systems refuse; at most 200 characters, or ""."""
    name = unicodedata.normalize("NFC", _UNWANTED.sub("", name[:8000]))
    name = re.split(r"[/\\]", name.rstrip("/\\"))[-1]
    name = " ".join(_NOT_IN_NAMES.sub("_", name).split()).strip(". ")
    if _RESERVED.match(name):
        name = f"_{name}"
    if len(name) > NAME_LIMIT:
        extension = _EXTENSION.search(name)
        ending = extension[0] if extension else ""
        name = name[: NAME_LIMIT - len(ending)].rstrip(". ") + ending
    return name


def message_name(subject: str) -> str:
    """The name of a message's file: its subject, safe, at most 84 characters with ".eml"."""
    flat = re.sub(r"[/\\]+", "-", subject).replace(":", "")
    return called(flat, "message") + ".eml"


def called(words: str, otherwise: str) -> str:
    """Words as the name of a file without its extension, at most 80 characters."""
    return safe_name(words)[:80].strip(". ") or otherwise
