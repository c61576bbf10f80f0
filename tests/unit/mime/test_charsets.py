"""Charsets that are named, unknown or lie."""

from __future__ import annotations

import pytest

from webmail.mime.charsets import decode_bytes


@pytest.mark.parametrize(
    ("data", "charset", "text"),
    [
        (b"caf\xe9", "us-ascii", "café"),
        (b"caf\xc3\xa9", "us-ascii", "café"),
        (b"\x80", "iso-8859-1", "€"),
        (b"\xa4", "ISO_8859-15", "€"),
        (b"\xff\xfea\x00", "utf-16", "a"),
        (b"\x00a", "utf-16", "a"),
        (b"\xef\xbb\xbfa", "utf-8", "a"),
        ("é".encode() * 50 + b"\xc3", "utf-8", "é" * 50 + "\ufffd"),  # cut short in the middle of a letter
        (b"a", "unicode_escape", "a"),
        (b"\\u0041", "raw-unicode-escape", "\\u0041"),
    ],
)
def test_charsets_that_lie_or_are_unknown_still_give_text(data, charset, text):
    assert decode_bytes(data, charset) == text
