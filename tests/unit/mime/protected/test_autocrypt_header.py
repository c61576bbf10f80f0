"""The Autocrypt header: one's own certificate, where it has room."""

from __future__ import annotations

import base64
import email

from webmail.mime.protected import autocrypt_header


def test_the_certificate_is_in_the_header_folded():
    made = autocrypt_header.written("Ann@example.org", b"\x98" * 900, mutual=True)
    assert all(len(line) <= 78 for line in made.split(b"\r\n"))
    value = email.message_from_bytes(made + b"\r\n")["Autocrypt"]
    attributes = dict(one.strip().split("=", 1) for one in value.split(";"))
    assert attributes["addr"] == "ann@example.org" and attributes["prefer-encrypt"] == "mutual"
    assert base64.b64decode(attributes["keydata"]) == b"\x98" * 900


def test_who_does_not_prefer_encryption_says_nothing_of_it():
    assert b"prefer-encrypt" not in autocrypt_header.written("ann@example.org", b"\x98" * 900, mutual=False)


def test_what_has_no_room_or_would_break_the_header_is_left_out():
    assert autocrypt_header.written("ann@example.org", b"\x98" * 8000, mutual=False) == b""
    assert autocrypt_header.written("ann@example.org", b"", mutual=False) == b""
    assert autocrypt_header.written("a;b@example.org", b"\x98", mutual=False) == b""
    assert autocrypt_header.written("é@example.org", b"\x98", mutual=False) == b""
