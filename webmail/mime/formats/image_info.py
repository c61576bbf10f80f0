"""Image info: detects the type and size in pixels of an image from its first bytes; nothing is decoded.

Only formats that browsers show and that hold nothing but pixels: never SVG, which is a document.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

PIXEL_LIMIT = 30_000_000  # a browser needs four bytes for each
SIDE_LIMIT = 20_000

TYPES = frozenset(("image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/bmp", "image/x-icon"))
# aliases that servers use
_ALSO = {
    "image/jpg": "image/jpeg", "image/pjpeg": "image/jpeg", "image/x-png": "image/png", "image/apng": "image/png",
    "image/x-ms-bmp": "image/bmp", "image/vnd.microsoft.icon": "image/x-icon", "image/ico": "image/x-icon",
}  # fmt: skip
_SOF = frozenset((0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF))


def is_declared(kind: str) -> bool:
    """Whether a media type is one of an image that may be shown."""
    return kind in TYPES or kind in _ALSO


def type_of(data: bytes) -> str:
    """The media type of an image by its magic bytes, "" for anything else."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "image/webp"
    if data[4:8] == b"ftyp" and data[8:12] in (b"avif", b"avis"):
        return "image/avif"
    if data.startswith(b"BM") and len(data) > 26:
        return "image/bmp"
    return "image/x-icon" if data.startswith(b"\0\0\1\0") else ""


def displayable_type(data: bytes) -> str:
    """The media type of an image within the pixel limits, else "", also if its size can't be read."""
    kind = type_of(data)
    try:
        sizes = list(_sizes(kind, data))
    except (struct.error, IndexError):
        return ""
    bearable = all(0 < w <= SIDE_LIMIT and 0 < h <= SIDE_LIMIT and w * h <= PIXEL_LIMIT for w, h in sizes)
    return kind if sizes and bearable else ""


def size_of(data: bytes) -> tuple[int, int]:
    """Width and height of an image of ours, which can be read: for files from elsewhere ask `is_showable`."""
    return next(_sizes(type_of(data), data))


def _sizes(kind: str, data: bytes) -> Iterator[tuple[int, int]]:
    """Width and height of each image in the file. Raises struct.error and IndexError."""
    match kind:
        case "image/png":
            if data[12:16] == b"IHDR":
                yield struct.unpack(">II", data[16:24])
        case "image/gif":
            yield struct.unpack("<HH", data[6:10])
        case "image/jpeg":
            yield from _jpeg(data)
        case "image/webp":
            yield from _webp(data)
        case "image/bmp":
            width, height = struct.unpack("<ii", data[18:26])
            yield abs(width), abs(height)
        case "image/avif":
            yield from _avif(data)
        case "image/x-icon":
            yield from _icons(data)


def _jpeg(data: bytes) -> Iterator[tuple[int, int]]:
    """The frame headers (ITU T.81, annex B.2.2), up to the first scan."""
    at = 2
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            return
        marker = data[at + 1]
        if marker in (0xFF, 0x01) or 0xD0 <= marker <= 0xD8:
            at += 1 if marker == 0xFF else 2
            continue
        if marker in _SOF:
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            yield width, height
        if marker in (0xDA, 0xD9):
            return
        at += 2 + max(struct.unpack(">H", data[at + 2 : at + 4])[0], 2)


def _webp(data: bytes) -> Iterator[tuple[int, int]]:
    """WebP (RFC 9649): lossy, lossless, or the canvas of an extended file."""
    chunk = data[12:16]
    if chunk == b"VP8X":
        yield 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
    elif chunk == b"VP8L" and data[20] == 0x2F:
        bits = struct.unpack("<I", data[21:25])[0]
        yield 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    elif chunk == b"VP8 " and data[23:26] == b"\x9d\x01\x2a":
        width, height = struct.unpack("<HH", data[26:30])
        yield width & 0x3FFF, height & 0x3FFF


def _avif(data: bytes) -> Iterator[tuple[int, int]]:
    """Every image spatial extents property (ISO/IEC 23008-12, section 6.5.3) near the beginning."""
    at = data.find(b"ispe", 0, 65_536)
    while at >= 0:
        yield struct.unpack(">II", data[at + 8 : at + 16])
        at = data.find(b"ispe", at + 4, 65_536)


def _icons(data: bytes) -> Iterator[tuple[int, int]]:
    """Each image of an icon: a PNG, or a bitmap of twice its height (it includes the mask)."""
    count = struct.unpack("<H", data[4:6])[0]
    for entry in range(min(count, 64)):
        offset = struct.unpack("<I", data[18 + 16 * entry : 22 + 16 * entry])[0]
        if data[offset : offset + 8] == b"\x89PNG\r\n\x1a\n":
            yield struct.unpack(">II", data[offset + 16 : offset + 24])
        else:
            width, height = struct.unpack("<ii", data[offset + 4 : offset + 12])
            yield abs(width), abs(height) // 2
