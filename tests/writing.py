"""What tests of writing share: the form's selector, a file to attach, how to read the form."""

from __future__ import annotations

import io
import struct
import zlib

PDF = b"%PDF-1.7\n" + bytes(range(256)) * 2000
FORM = "form.compose-form"


def write(person, **fields):
    page = person.get(fields.pop("at", "/compose"))
    return person.submit(page, FORM, **fields)


def file(name="liste.pdf", content=PDF, kind="application/pdf"):
    return (io.BytesIO(content), name, kind)


def text_of(page):
    return page.one("textarea[name=body]").get_text().removeprefix("\n").replace("\r\n", "\n")


def value_of(page, name):
    return page.one(f"[name={name}]").get("value", "")


def picture(width=40, height=20, grey=128):
    """A PNG that browsers show."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    pixels = (b"\0" + bytes([grey]) * width) * height
    size = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + chunk(b"IDAT", zlib.compress(pixels)) + chunk(b"IEND", b"")
