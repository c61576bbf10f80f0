"""Pictures: makes a picture of a person small enough for a card, without what a camera writes into it (place, time, device)."""

from __future__ import annotations

import io
import warnings

from webmail.mime.formats import image_info

SIDE = 512  # pixels
LARGEST = 40_000  # bytes of the result: a card travels as one piece
LARGEST_UPLOAD = 20_000_000
_QUALITIES = (85, 70, 50, 30)
_READ = ("JPEG", "PNG", "GIF", "WEBP", "BMP")


def for_card(data: bytes) -> bytes:
    """The picture as JPEG of at most SIDE pixels and LARGEST bytes, upright and without metadata; b"" if it is none that can
    be read. What it claims to measure is looked at before anything is decoded."""
    if len(data) > LARGEST_UPLOAD or not image_info.is_showable(data):
        return b""
    from PIL import Image, ImageOps  # imported when first needed

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=_READ) as picture:
                picture.draft("RGB", (SIDE * 2, SIDE * 2))
                upright = ImageOps.exif_transpose(picture).convert("RGBA")
        upright.thumbnail((SIDE, SIDE))
        flat = Image.new("RGB", upright.size, "white")
        flat.paste(upright, mask=upright.getchannel("A"))
        return _encoded(flat)
    except (OSError, ValueError, SyntaxError, TypeError, ZeroDivisionError, MemoryError, Image.DecompressionBombError,
            Image.DecompressionBombWarning):  # fmt: skip
        return b""


def _encoded(picture: object) -> bytes:
    found = b""
    for quality in _QUALITIES:
        into = io.BytesIO()
        picture.save(into, "JPEG", quality=quality, optimize=True)  # type: ignore[attr-defined]
        found = into.getvalue()
        if len(found) <= LARGEST:
            break
    return found
