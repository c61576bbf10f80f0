"""Pictures: makes a picture small enough for a card or a signature, without what a camera writes into it (place, time)."""

from __future__ import annotations

import io
import struct
import warnings
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from webmail.mime.formats import image_info

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

SIDE = 512  # pixels
LARGEST = 40_000  # bytes of the result: a card travels as one piece
LARGEST_UPLOAD = 20_000_000
_MOST_PIXELS = 30_000_000
_MOST_PIXELS_JPEG = 65_000_000  # decoded at an eighth of its size: what telephones take today
SIGNATURE_LARGEST = 20_000  # bytes of the result: it travels with each message
_SIGNATURE_SIDES = (480, 360, 240, 160, 96)
_ENCODED = ((SIDE, 85), (SIDE, 70), (SIDE, 50), (SIDE, 30), (SIDE // 2, 50))  # (pixels, quality), until one is small enough
_TURNS = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}  # EXIF's Orientation: PIL.Image.Transpose
_READ = ("JPEG", "PNG", "GIF", "WEBP", "BMP")
_LIKE_JPEG = ("JPEG", "MPO")  # MPO: a JPEG with others behind it, as telephones take; the first one is read


def for_card(data: bytes) -> bytes:
    """The picture as JPEG of at most SIDE pixels and LARGEST bytes, upright and without metadata; b"" if it is none that can
    be read."""
    return _made(data, lambda picture: _encoded(_small(picture)))


def for_signature(data: bytes) -> bytes:
    """The picture as PNG (drawings, which may be transparent) or JPEG (photos) of at most SIGNATURE_LARGEST bytes, upright and
    without metadata; b"" if it is none that can be read."""
    return _made(data, _signature)


def _made(data: bytes, make: Callable[[Picture], bytes]) -> bytes:
    """What `make` makes of a picture. What it claims to measure is looked at before anything is decoded."""
    if len(data) > LARGEST_UPLOAD or not image_info.type_of(data):
        return b""
    from PIL import Image  # imported when first needed

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=_READ) as picture:
                if picture.width * picture.height > (_MOST_PIXELS_JPEG if picture.format in _LIKE_JPEG else _MOST_PIXELS):
                    return b""
                return make(picture)
    except (OSError, EOFError, ValueError, SyntaxError, TypeError, ArithmeticError, LookupError, struct.error, MemoryError,
            RuntimeError, AttributeError, Image.DecompressionBombError):  # fmt: skip
        return b""  # hostile files make decoders fail in every way


def _small(picture: Picture) -> Picture:
    """Upright, at most SIDE pixels, on white."""
    from PIL import Image

    small = _upright(picture)
    if small.mode != "RGBA":
        return small
    flat = Image.new("RGB", small.size, "white")
    flat.paste(small, mask=small.getchannel("A"))
    return flat


def _upright(picture: Picture) -> Picture:
    """Upright, at most SIDE pixels, as RGBA where it may be transparent, else as RGB."""
    from PIL import Image

    picture.draft("RGB", (SIDE, SIDE))  # JPEG alone: a smaller picture is decoded
    turned = _turned(picture)
    small = picture.convert("RGBA") if picture.mode in ("P", "PA", "LA", "RGBA") else picture.convert("RGB")
    small.thumbnail((SIDE, SIDE))
    return small.transpose(Image.Transpose(_TURNS[turned])) if turned in _TURNS else small


def _turned(picture: Picture) -> int:
    """How the camera was held (EXIF's Orientation); 1 if that can't be read."""
    try:
        return int(picture.getexif().get(0x0112, 1))
    except (OSError, ValueError, SyntaxError, TypeError, LookupError, struct.error):
        return 1


def _encoded(picture: Picture) -> bytes:
    found = b""
    for side, quality in _ENCODED:
        into = io.BytesIO()
        picture.thumbnail((side, side))
        picture.save(into, "JPEG", quality=quality, optimize=True, exif=b"")
        found = into.getvalue()
        if len(found) <= LARGEST:
            break
    return found


def _signature(picture: Picture) -> bytes:
    is_photo = picture.format in _LIKE_JPEG
    small = _small(picture) if is_photo else _upright(picture)
    for side in _SIGNATURE_SIDES:
        small.thumbnail((side, side))
        for found in _photos(small) if is_photo else _drawings(small):
            if len(found) <= SIGNATURE_LARGEST:
                return found
    return b""


def _photos(picture: Picture) -> Iterator[bytes]:
    for quality in (85, 70, 50):
        picture.save(into := io.BytesIO(), "JPEG", quality=quality, optimize=True, exif=b"")
        yield into.getvalue()


def _drawings(picture: Picture) -> Iterator[bytes]:
    for one in (picture, picture.quantize(128, method=2)):  # fast octree: the one for transparent pictures
        one.info.clear()  # what a program writes into it would come along
        one.save(into := io.BytesIO(), "PNG", optimize=True)
        yield into.getvalue()
