"""Keys that come with a message."""

from __future__ import annotations

import pytest

from webmail.mime.protected.arriving_keys import KeySource, arriving_keys, autocrypt

BLOCK = "-----BEGIN PGP PUBLIC KEY BLOCK-----\r\n\r\nAAAA\r\n-----END PGP PUBLIC KEY BLOCK-----\r\n"


def test_autocrypt():
    head = b"From: Ann <Ann@x.example>\r\nAutocrypt: addr=ann@x.example; prefer-encrypt=mutual; _more=1; keydata=\r\n mDME\r\n AAAA\r\n\r\n"
    found = autocrypt(head)
    assert found and (found.address, found.data, found.prefers_encryption) == ("ann@x.example", b"\x983\x04\x00\x00\x00", True)


@pytest.mark.parametrize(
    "lines",
    [
        "From: eve@x.example\r\nAutocrypt: addr=ann@x.example; keydata=AAAA",
        "From: ann@x.example, eve@x.example\r\nAutocrypt: addr=ann@x.example; keydata=AAAA",
        "From: ann@x.example\r\nAutocrypt: addr=ann@x.example; critical=1; keydata=AAAA",
        "From: ann@x.example\r\nAutocrypt: addr=ann@x.example; keydata=AAAA\r\nAutocrypt: addr=ann@x.example; keydata=BBBB",
        "From: ann@x.example\r\nAutocrypt: addr=ann@x.example",
        "From: ann@x.example\r\nAutocrypt: addr=ann@x.example; keydata=é",
        "From: ann@x.example\r\nContent-Type: multipart/report; a=b\r\nAutocrypt: addr=ann@x.example; keydata=AAAA",
        "From: ann@x.example\r\nAutocrypt: addr=ann@x.example; keydata=" + "A" * 30_000,
    ],
)
def test_what_autocrypt_does_not_take(lines):
    assert autocrypt(f"{lines}\r\n\r\n".encode()) is None


def test_attached_keys():
    raw = (
        "From: ann@x.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
        f"--b\r\nContent-Type: application/pgp-keys\r\n\r\n{BLOCK}--b\r\n"
        f"Content-Type: text/plain; name=mine.asc\r\n\r\n{BLOCK}{BLOCK}--b\r\n"
        f"Content-Type: text/plain; name=notes.txt\r\n\r\n{BLOCK}--b--\r\n"
    ).encode()
    found = arriving_keys(raw)
    assert [key.source for key in found] == [KeySource.ATTACHED] * 3
    assert all(key.data.startswith(b"-----BEGIN") for key in found)


def test_at_most_five_are_taken():
    raw = f"Content-Type: application/pgp-keys\r\n\r\n{BLOCK * 50}".encode()
    assert len(arriving_keys(raw)) == 5
