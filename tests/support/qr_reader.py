"""Reading QR codes as a telephone does, from the SVG that a page shows (webmail/web/responses/qr_code.py), by another library."""

from __future__ import annotations

import re

import zxingcpp

_SCALE = 4  # pixels of a module
_STEP = re.compile(r"([Mmh])(-?[\d.]+)(?: (-?[\d.]+))?")


def read_qr(svg: str) -> str:
    """The text of the only code in a picture: its dark modules are the lines of the last path, each half a module below its row."""
    size, path = re.search(r'(?i)viewbox="0 0 (\d+)', svg), re.findall(r'\bd="([^"]+)"', svg)[-1]
    assert size, svg[:200]
    width = int(size[1])
    rows = [bytearray(b"\xff" * width) for _ in range(width)]
    x, y = 0.0, 0.0
    for kind, first, second in _STEP.findall(path):
        if kind == "h":
            rows[int(y)][int(x) : int(x + float(first))] = b"\x00" * int(float(first))
            x += float(first)
        else:
            x, y = (float(first), float(second)) if kind == "M" else (x + float(first), y + float(second))
    pixels = b"".join(bytes(dot for dot in row for _ in range(_SCALE)) * _SCALE for row in rows)
    picture = memoryview(pixels).cast("B", (width * _SCALE, width * _SCALE))
    (found,) = zxingcpp.read_barcodes(picture)
    return str(found.text)
