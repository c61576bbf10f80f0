"""Words of header values: RFC 2047 encoded words and raw 8-bit text to clean one-line strings."""

from __future__ import annotations

import binascii
import re
import unicodedata
from functools import lru_cache

from webmail.mime.charsets import decode_bytes, without_surrogates
from webmail.mime.transfer_encoding import decode_transfer

VALUE_LIMIT = 1 << 16  # bytes of one value that are decoded

_WORD = re.compile(r"=\?([^?\s=]{1,80})\?([bBqQ])\?([^?]{0,4000})\?=")
# C0 and C1 controls but white space, and what reorders text so that it reads as something else.
_UNWANTED = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069\ufeff]")
_ACCENTS = re.compile("[\u0300-\u036f]+")
_LETTERS = re.compile(r"[^\W_]+")
_FOLDED = str.maketrans({"œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "ı": "i"})


def tidy(text: str) -> str:
    """One line without controls, bidirectional overrides or lone surrogates, its white space collapsed."""
    if not (text.isascii() and text.isprintable()):
        text = without_surrogates(_UNWANTED.sub("", text))
    return " ".join(text.split())


def fold(text: str) -> str:
    """Without case and accents: "Élodie" and "elodie" are the same."""
    if text.isascii():
        return text.lower()
    return _ACCENTS.sub("", unicodedata.normalize("NFKD", text)).casefold().translate(_FOLDED)


def words_in(text: str) -> list[str]:
    """Its words, folded: what a search compares."""
    return _LETTERS.findall(fold(text))


def sort_key(name: str) -> str:
    """By which names are put in order, and found whatever stands between their words; at most 190 characters."""
    return " ".join(words_in(name))[:190] or name.lower()[:190]


def decode(value: bytes) -> str:
    """The text of an unstructured value (RFC 2047); raw 8-bit bytes are read as UTF-8, else cp1252. Never raises."""
    if len(value) > 500:
        return _decode(value[:VALUE_LIMIT])
    return _decode_cached(value)


def _decode(value: bytes) -> str:
    text = decode_bytes(value)
    return tidy(decode_words(text) if "=?" in text else text)


_decode_cached = lru_cache(maxsize=4096)(_decode)  # the same people write again and again; only short values are kept


def decode_words(text: str) -> str:
    """Encoded words undone, and nothing taken out."""
    out: list[str] = []
    end = 0
    pending, charset = b"", ""
    for word in _WORD.finditer(text):
        between = text[end : word.start()]
        data = _word_bytes(word[2], word[3])
        # White space between two encoded words is not shown (section 6.2), and senders cut letters in two: join the bytes.
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
