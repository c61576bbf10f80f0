"""File names: decoded from a part's parameters (RFC 2231, and RFC 2047 although not allowed there), safe to show and save."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import unquote_to_bytes

from webmail.mime.charsets import decode_bytes, raw_bytes
from webmail.mime.headers.encoded_words import decode, decode_words

NAME_LIMIT = 200
_EXTENSION = re.compile(r"\.[^.\s/\\]{1,20}\Z")
# Controls, line and paragraph separators, bidirectional characters (they can reverse "gpj.exe"), zero-width space, BOM.
_UNWANTED = re.compile("[\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u061c\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")
_NOT_IN_NAMES = re.compile(r'[<>:"|?*]')  # Windows refuses them
_RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[\d¹²³]) *(\..*)?\Z", re.I | re.S)
_SEGMENT = re.compile(r"(filename|name)(?:\*(\d{1,3}))?(\*?)\Z")


def filename(params: dict[str, str]) -> str:
    """The file name in the parameters of Content-Disposition and Content-Type, or "".

    `params` are raw: "filename*0*" and the like are joined here. `filename` takes precedence over `name`, and RFC 2231 over
    plain values.
    """
    lower = {key.lower(): value for key, value in list(params.items())[:200]}
    for wanted in ("filename", "name"):
        for found in (_extended(lower, wanted), _plain(lower.get(wanted, ""))):
            if name := safe_name(found):
                return name
    return ""


def turns(params: dict[str, str]) -> bool:
    """Whether the file name contains bidirectional overrides, which reorder the letters on screen; `filename` removes them."""
    lower = {key.lower(): value for key, value in list(params.items())[:200]}
    names = [found for wanted in ("filename", "name") for found in (_extended(lower, wanted), _raw(lower.get(wanted, "")))]
    return any(_TURNING.search(name) for name in names)


def _raw(value: str) -> str:
    """Decode encoded words without removing anything."""
    return decode_words(decode_bytes(raw_bytes(value[:4000])))


def _plain(value: str) -> str:
    return decode(raw_bytes(value[:4000]))


def _extended(params: dict[str, str], wanted: str) -> str:
    """RFC 2231 sections 3 and 4: joins the segments in order, percent-decodes the starred ones, charset from the first."""
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
    """Sanitize a file name: no path, control or bidirectional characters, or what file systems refuse; at most 200 characters."""
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
    """A file name for a message: its subject, made safe, at most 84 characters with ".eml"."""
    flat = re.sub(r"[/\\]+", "-", subject).replace(":", "")
    return called(flat, "message") + ".eml"


def called(text: str, otherwise: str) -> str:
    """A file name stem made from text, at most 80 characters; `otherwise` if nothing is left."""
    return safe_name(text)[:80].strip(". ") or otherwise
