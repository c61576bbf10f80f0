"""vCard keys: the keys and certificates in the KEY lines of a card (RFC 6350 section 6.8.1, RFC 2426, vCard 2.1), as bytes."""

from __future__ import annotations

import base64
import binascii
import re
from urllib.parse import unquote_to_bytes

from webmail.mime.formats.cards import vcard_lines
from webmail.mime.formats.cards.vcard_lines import VcardLine

MOST = 5  # of one card
LARGEST = 64 * 1024  # bytes of one
_LONGEST_CARD = 500_000  # characters
_KEY = re.compile(r"^(?:[\w-]+\.)?KEY[;:].*$", re.MULTILINE | re.IGNORECASE)
_DATA = re.compile(r"data:[^,;]*(?:;[^,;]*)*,", re.IGNORECASE)
_ARMOUR = "-----BEGIN "


def keys_in(card: str) -> list[bytes]:
    """Each key that stands in the card itself, armoured or not. An address to fetch one from is left alone."""
    if len(card) > _LONGEST_CARD:
        return []
    found: list[bytes] = []
    for match in _KEY.finditer(vcard_lines.unfolded(card)):
        line = vcard_lines.parsed(match[0])
        data = _bytes_of(line) if line is not None else b""
        if data and len(data) <= LARGEST:
            found.append(data)
        if len(found) >= MOST:
            break
    return list(dict.fromkeys(found))


def _bytes_of(line: VcardLine) -> bytes:
    value = line.value.strip()
    if head := _DATA.match(value):
        rest = value[head.end() :]
        return _decoded(rest) if ";base64" in head[0].lower() else unquote_to_bytes(rest)
    if _ARMOUR in value:
        return line.text.encode("ascii", "ignore")
    if line.param("ENCODING").lower() in ("b", "base64") or "base64" in line.types:
        return _decoded(value)
    return b""


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return b""
