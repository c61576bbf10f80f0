"""Transfer encodings undone, whole and piece by piece."""

from __future__ import annotations

import base64
import binascii
import quopri
import random

import pytest

from tests.support.cpu_time import cpu_seconds
from webmail.mime.text import plain_text

RANDOM = random.Random(3676)


class TestTransferEncodings:
    @pytest.mark.parametrize(
        ("encoding", "data", "expected"),
        [
            ("7bit", b"a=3D", b"a=3D"),
            ("x-nobody", b"abc", b"abc"),
            ("BASE64", b"aGVs\r\nbG8=\r\n", b"hello"),
            ("base64", b"aGVsbG8", b"hello"),
            ("base64", b"aGVs!bG8=\r\n--\r\n", b"hello"),
            ("base64", b"aGk=aGk=", b"hihi"),
            ("base64", b"aGVsbG8hx", b"hello!"),
            ("base64", b"", b""),
            ("Quoted-Printable", b"a=3Db=\r\nc   \r\n=E9=ZZ=", b"a=bc\r\n\xe9=ZZ"),
            ("x-uuencode", b"note\nbegin 644 a.txt\n" + binascii.b2a_uu(b"hello") + b"`\nend\nmore", b"hello"),
        ],
    )
    def test_they_are_undone(self, encoding, data, expected):
        assert plain_text.decode_transfer(data, encoding) == expected

    @pytest.mark.parametrize("encoding", ["base64", "quoted-printable", "x-uuencode", "8bit"])
    def test_a_stream_gives_the_same_in_whatever_pieces(self, encoding):
        content = RANDOM.randbytes(3000)
        encoded = {
            "base64": base64.encodebytes(content),
            "quoted-printable": quopri.encodestring(content),
            "x-uuencode": b"begin 644 x\n"
            + b"".join(binascii.b2a_uu(content[at : at + 45]) for at in range(0, 3000, 45))
            + b"`\nend\n",
            "8bit": content,
        }[encoding]
        for step in (1, 7, 76, 1000):
            decoder = plain_text.TransferDecoder(encoding)
            out = b"".join(decoder.feed(encoded[at : at + step]) for at in range(0, len(encoded), step))
            assert out + decoder.close() == content

    def test_a_stream_without_line_ends_is_not_held_back(self):
        decoder = plain_text.TransferDecoder("quoted-printable")
        assert len(decoder.feed(b"=41" * 100_000)) > 90_000

    def test_a_megabyte_of_blanks_takes_no_time(self):
        with cpu_seconds(1):
            plain_text.decode_transfer(b" " * 1_000_000 + b"x", "quoted-printable")

    def test_the_text_has_line_feeds_and_no_nul(self):
        assert plain_text.decode_text(b"a\r\nb\rc\0d\x07\te=0A", "quoted-printable", "utf-8") == "a\nb\ncd\te\n"
