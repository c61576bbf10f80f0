"""Pictures for cards: small, upright, without metadata; hostile ones refused."""

from __future__ import annotations

import io
import random
import struct
import zlib

import pytest
from PIL import Image

from tests.support.cpu_time import cpu_seconds
from webmail.mime.formats.cards import pictures


def made(size: tuple[int, int], kind: str, mode: str = "RGB", **more: object) -> bytes:
    into = io.BytesIO()
    Image.new(mode, size, 0).save(into, kind, **more)
    return into.getvalue()


@pytest.mark.parametrize(("kind", "mode"), [("JPEG", "RGB"), ("JPEG", "L"), ("JPEG", "CMYK"), ("PNG", "RGBA"), ("PNG", "P"), ("GIF", "P"),
                                            ("WEBP", "RGB"), ("BMP", "RGB"), ("PNG", "1"), ("PNG", "I;16")])  # fmt: skip
def test_every_kind_becomes_a_small_jpeg(kind: str, mode: str) -> None:
    with Image.open(io.BytesIO(pictures.for_card(made((1000, 500), kind, mode)))) as found:
        assert (found.format, found.size, found.mode in ("RGB", "L")) == ("JPEG", (512, 256), True)


def test_it_stands_upright_and_tells_nothing_of_the_camera() -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "Secret camera"
    data = pictures.for_card(made((800, 400), "JPEG", exif=exif))
    with Image.open(io.BytesIO(data)) as found:
        assert found.size == (256, 512) and not found.getexif() and b"Secret" not in data


def test_noise_is_made_small_enough() -> None:
    into = io.BytesIO()
    Image.frombytes("RGB", (600, 600), random.Random(1).randbytes(600 * 600 * 3)).save(into, "PNG")
    assert 0 < len(pictures.for_card(into.getvalue())) <= pictures.LARGEST


def test_a_jpeg_with_others_behind_it_may_have_as_many_pixels_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "_MOST_PIXELS", 1000)
    data = made((600, 400), "MPO", save_all=True, append_images=[Image.new("RGB", (600, 400))])
    with Image.open(io.BytesIO(pictures.for_card(data))) as found:
        assert found.size == (512, 341)


def _bomb() -> bytes:
    """A PNG that says it has 900,000,000 pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\0" * 1_000_000)) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    "data", [b"", b"<svg/>", b"GIF89a", b"\xff\xd8\xff", _bomb(), b"%PDF-1.7", b"\xff\xd8\xff" + b"a" * 20_000_000]
)
def test_what_is_none_is_refused_at_once(data: bytes) -> None:
    with cpu_seconds(1):
        assert pictures.for_card(data) == b""


def test_broken_pictures_never_raise() -> None:
    rng = random.Random(7)
    for kind in ("JPEG", "PNG", "GIF", "WEBP", "BMP"):
        good = made((64, 64), kind)
        for _ in range(150):
            broken = bytearray(good[: rng.randrange(10, len(good))] if rng.random() < 0.3 else good)
            for _change in range(rng.randrange(1, 6)):
                broken[rng.randrange(4, len(broken))] = rng.randrange(256)
            pictures.for_card(bytes(broken))
