"""Pictures told from everything else by their first bytes, with their size."""

from __future__ import annotations

import struct

import pytest

from tests.support.images import gif, png
from webmail.mime.formats.image_info import displayable_type, is_declared, type_of


def jpeg(width: int = 3, height: int = 2) -> bytes:
    head = b"\xff\xd8\xff\xe0" + struct.pack(">H", 16) + b"JFIF\0" + b"\0" * 9
    return head + b"\xff\xff\xc0" + struct.pack(">HBHH", 17, 8, height, width) + b"\0" * 10 + b"\xff\xda\0\x0c"


def bmp(width: int = 3, height: int = -2) -> bytes:
    return b"BM" + b"\0" * 12 + struct.pack("<Iii", 40, width, height) + b"\0" * 28


def webp(kind: bytes, width: int = 3, height: int = 2) -> bytes:
    if kind == b"VP8X":
        size = b"\0" * 4 + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    elif kind == b"VP8L":
        size = b"\x2f" + struct.pack("<I", (width - 1) | (height - 1) << 14)
    else:
        size = b"\0\0\0\x9d\x01\x2a" + struct.pack("<HH", width, height)
    return b"RIFF\0\0\0\0WEBP" + kind + b"\0\0\0\0" + size + b"\0" * 20


def avif(width: int = 3, height: int = 2) -> bytes:
    return b"\0\0\0\x1cftypavif\0\0\0\0avifmif1" + b"\0\0\0\x14ispe\0\0\0\0" + struct.pack(">II", width, height) + b"\0" * 20


def ico(inside: bytes) -> bytes:
    return b"\0\0\1\0\1\0" + b"\x10\x10\0\0\1\0\x20\0" + struct.pack("<II", len(inside), 22) + inside


GOOD = [
    (png(), "image/png"), (gif(), "image/gif"), (jpeg(), "image/jpeg"), (bmp(), "image/bmp"), (webp(b"VP8X"), "image/webp"),
    (webp(b"VP8L"), "image/webp"), (webp(b"VP8 "), "image/webp"), (avif(), "image/avif"), (ico(png()), "image/x-icon"),
    (ico(struct.pack("<Iii", 40, 16, 32) + b"\0" * 30), "image/x-icon"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "kind"), GOOD)
def test_pictures_are_known_by_their_bytes(data: bytes, kind: str) -> None:
    assert type_of(data) == kind
    assert displayable_type(data) == kind


@pytest.mark.parametrize(
    "data",
    [png(20_000, 20_000), png(0, 5), png(2**31, 1), gif(65_535, 65_535), jpeg(60_000, 60_000), bmp(2**31 - 1, 2), avif(2**20, 2**20),
     webp(b"VP8X", 2**24, 2**24), ico(png(9_999_999, 9_999_999)), jpeg(3, 2).replace(b"\xff\xda", b"\xff\xc2\0\x11\x08\xff\xff\xff\xff" + b"\0" * 10)],
)  # fmt: skip
def test_what_would_fill_the_memory_is_not_shown(data: bytes) -> None:
    assert displayable_type(data) == ""


@pytest.mark.parametrize(
    "data",
    [b"", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"<?xml version='1.0'?><svg/>", b"<html>", b"GIF", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff",
     b"%PDF-1.7", b"BM", b"\0\0\1\0", b"RIFF\0\0\0\0WEBP", b"RIFF\0\0\0\0WAVEfmt ", b"\0\0\0\x1cftypmp42", b"II*\0", b"PK\3\4", b" " + png()],
)  # fmt: skip
def test_everything_else_is_none(data: bytes) -> None:
    assert displayable_type(data) == ""


@pytest.mark.parametrize("data", [picture for picture, _kind in GOOD])
def test_a_cut_file_raises_nothing(data: bytes) -> None:
    for end in range(len(data)):
        displayable_type(data[:end])


def test_declared_types() -> None:
    assert is_declared("image/jpg") and is_declared("image/png") and is_declared("image/vnd.microsoft.icon")
    assert (
        not is_declared("image/svg+xml") and not is_declared("text/html") and not is_declared("") and not is_declared("image/*")
    )
