"""Encoded words: decodes RFC 2047 encoded words and raw 8-bit header values to one-line strings, and folds text for search."""

from __future__ import annotations

import binascii
import re
import unicodedata
from functools import lru_cache

from webmail.mime.charsets import decode_bytes, without_surrogates
from webmail.mime.transfer_encoding import decode_transfer

VALUE_LIMIT = 1 << 16  # bytes of one value that are decoded

_WORD = re.compile(r"=\?([^?\s=]{1,80})\?([bBqQ])\?([^?]{0,4000})\?=")
# C0 and C1 controls except white space, and bidirectional controls, which reorder text on screen.
_UNWANTED = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069\ufeff]")
_ACCENTS = re.compile("[\u0300-\u036f]+")
_LETTERS = re.compile(r"[^\W_]+")
_FOLDED = str.maketrans({"œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "ı": "i"})


def tidy(text: str) -> str:
    """Normalize text to one line without controls, bidirectional overrides or lone surrogates, white space collapsed."""
    if not (text.isascii() and text.isprintable()):
        text = without_surrogates(_UNWANTED.sub("", text))
    return " ".join(text.split())


def fold(text: str) -> str:
    """Fold case and remove accents: "Élodie" and "elodie" become the same."""
    if text.isascii():
        return text.lower()
    return _ACCENTS.sub("", unicodedata.normalize("NFKD", text)).casefold().translate(_FOLDED)


def words_in(text: str) -> list[str]:
    """The words of a text, folded, for searching."""
    return _LETTERS.findall(fold(text))


def sort_key(name: str) -> str:
    """The key for sorting and finding names: their folded words, without punctuation; at most 190 characters."""
    return " ".join(words_in(name))[:190] or name.lower()[:190]


def decode(value: bytes) -> str:
    """Decode an unstructured value (RFC 2047); raw 8-bit bytes are decoded as UTF-8, else cp1252. Never raises."""
    if len(value) > 500:
        return _decode(value[:VALUE_LIMIT])
    return _decode_cached(value)


def _decode(value: bytes) -> str:
    text = decode_bytes(value)
    return tidy(decode_words(text) if "=?" in text else text)


_decode_cached = lru_cache(maxsize=4096)(_decode)  # the same senders recur; only short values are cached


def decode_words(text: str) -> str:
    """Decode encoded words, without removing anything."""
    out: list[str] = []
    end = 0
    pending, charset = b"", ""
    for word in _WORD.finditer(text):
        between = text[end : word.start()]
        data = _word_bytes(word[2], word[3])
        # White space between two encoded words is ignored (section 6.2), and senders split characters: join the bytes.
        if pending and not between.strip() and charset == word[1].lower():
            pending += data
        else:
            out.append(decode_bytes(pending, charset))
            if between.strip() or not end:
                out.append(between)
            pending, charset = data, word[1].lower()
        end = word.end()
    out.extend((decode_bytes(pending, charset), text[end:]))
    return "".join(out)


def _word_bytes(encoding: str, text: str) -> bytes:
    data = text.encode("utf-8", "replace")
    if encoding in "qQ":
        return binascii.a2b_qp(data, header=True)
    return decode_transfer(data, "base64")
