"""TNEF: unpacks winmail.dat (application/ms-tnef), in which Outlook wraps the text and the attachments of a message.

[MS-OXTNEF] is the format. Counts and lengths in it are untrusted: every loop here is bounded by the size of the input. (The
available libraries trust them: sixty bytes can keep them busy for hours.)
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from webmail.mime.charsets import decode_bytes
from webmail.mime.formats import rtf
from webmail.mime.headers.filenames import safe_name
from webmail.mime.html.to_text import html_to_text

SIZE_LIMIT = 10_000_000  # bytes of a part that is unpacked
FILES_LIMIT = 200
DEPTH_LIMIT = 5  # nested messages
TEXT_LIMIT = 500_000  # bytes
_ATTRIBUTES_LIMIT = 20_000
_PROPERTIES_LIMIT = 2_000
_VALUES_LIMIT = 2_000  # values of one property

_SIGNATURE = 0x223E9F78
_SUBJECT, _BODY, _FILE_DATA, _FILE_TITLE, _FILE_BEGINS = 0x8004, 0x800C, 0x800F, 0x8010, 0x9002  # attributes, section 2.1.3
_MESSAGE_PROPERTIES, _FILE_PROPERTIES, _CODEPAGE = 0x9003, 0x9005, 0x9007
_P_BODY, _P_HTML, _P_LONG_NAME, _P_NAME, _P_DATA, _P_DISPLAY = 0x1000, 0x1013, 0x3707, 0x3704, 0x3701, 0x3001  # [MS-OXPROPS]
_P_INTERNET_CODEPAGE, _P_SUBJECT, _P_RTF, _P_CONTENT_ID = 0x3FDE, 0x0037, 0x1009, 0x3712
_FIXED = {0x02: 4, 0x03: 4, 0x04: 4, 0x05: 8, 0x06: 8, 0x07: 8, 0x0A: 4, 0x0B: 4, 0x14: 8, 0x40: 8, 0x48: 16}
_STRING, _UNICODE, _OBJECT, _BINARY = 0x1E, 0x1F, 0x0D, 0x0102
_EMBEDDED = bytes.fromhex("0703020000000000c000000000000046")  # IID_IMessage: the file is itself a message in TNEF


@dataclass(frozen=True, slots=True)
class TnefFile:
    """`is_message`: the file is a message in TNEF, see `unpack`. `content_id`: how the HTML refers to it."""

    name: str
    data: bytes
    is_message: bool = False
    content_id: str = ""


@dataclass(frozen=True, slots=True)
class Unpacked:
    """`text` is always plain text; `html` is not sanitized, "" if there is none."""

    text: str
    files: tuple[TnefFile, ...]
    html: str = ""
    subject: str = ""


@dataclass(slots=True)
class _Growing:
    """A file whose attributes are being parsed."""

    title: bytes = b""
    long_name: str = ""
    data: bytes = b""
    content_id: str = ""
    is_message: bool = False


@dataclass(slots=True)
class _Bodies:
    """The body in the formats that Outlook uses."""

    plain: str = ""
    html: str = ""
    rich: bytes = b""
    subject: str = ""


def unpack(data: bytes) -> Unpacked | None:
    """Unpack a winmail.dat; truncated or unknown content is skipped. None if it is not TNEF, too large, or too damaged to read
    anything."""
    if len(data) > SIZE_LIMIT or len(data) < 6 or struct.unpack_from("<I", data)[0] != _SIGNATURE:
        return None
    codepage = "cp1252"
    said = _Bodies()
    files: list[_Growing] = []
    end = 6  # of what has been parsed
    for name, value in _attributes(data):
        end += 11 + len(value)
        if name == _CODEPAGE and len(value) >= 4:
            codepage = _charset(struct.unpack_from("<I", value)[0])
        elif name == _BODY:
            said.plain = said.plain or _text(value, codepage)
        elif name == _SUBJECT:
            said.subject = said.subject or _text(value, codepage)
        elif name == _MESSAGE_PROPERTIES:
            _read_bodies(said, value, codepage)
        elif name == _FILE_BEGINS:
            if len(files) >= FILES_LIMIT:
                break
            files.append(_Growing())
        elif files and name == _FILE_TITLE:
            files[-1].title = value
        elif files and name == _FILE_DATA:
            files[-1].data = value
        elif files and name == _FILE_PROPERTIES:
            _read_file(files[-1], value, codepage)
    rich = rtf.read(rtf.unpack(said.rich)) if said.rich and not said.html else rtf.RtfDocument()
    html = said.html or rich.html
    text = said.plain.strip() or rich.text.strip() or html_to_text(html).strip()
    if not text and not files and end != len(data):
        return None
    return Unpacked(text, tuple(_file(file, place, codepage) for place, file in enumerate(files, 1)), html, said.subject)


def message_at(data: bytes, path: tuple[int, ...]) -> Unpacked | None:
    """`unpack` the message attached at `path`: the numbers of nested files, from 1. None if there is no such message."""
    unpacked = unpack(data)
    for number in path[:DEPTH_LIMIT]:
        if unpacked is None or not 1 <= number <= len(unpacked.files) or not unpacked.files[number - 1].is_message:
            return None
        unpacked = unpack(unpacked.files[number - 1].data)
    return unpacked if len(path) <= DEPTH_LIMIT else None


def _read_bodies(said: _Bodies, value: bytes, codepage: str) -> None:
    found = dict(_properties(value, codepage))
    said.plain = said.plain or _decoded(found.get(_P_BODY, ""), codepage)
    said.subject = said.subject or _decoded(found.get(_P_SUBJECT, ""), codepage)
    told = found.get(_P_INTERNET_CODEPAGE, b"")
    number = struct.unpack_from("<I", told)[0] if isinstance(told, bytes) and len(told) >= 4 else 0
    said.html = said.html or _decoded(found.get(_P_HTML, ""), _charset(number) if number else codepage)
    rich = found.get(_P_RTF, b"")
    said.rich = said.rich or (rich if isinstance(rich, bytes) else b"")


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Each attribute's id and value: level (1 byte), id, type (2 each), length (4), value, checksum (2)."""
    offset = 6
    for _count in range(_ATTRIBUTES_LIMIT):
        if offset + 9 > len(data):
            return
        name, _kind, length = struct.unpack_from("<HHI", data, offset + 1)
        yield name, data[offset + 9 : offset + 9 + length]
        offset += 9 + length + 2


def _properties(data: bytes, codepage: str) -> Iterator[tuple[int, str | bytes]]:
    """MAPI properties; of a multi-valued one, the first value."""
    if len(data) < 4:
        return
    count = min(struct.unpack_from("<I", data)[0], _PROPERTIES_LIMIT)
    offset = 4
    try:
        for _count in range(count):
            kind, name = struct.unpack_from("<HH", data, offset)
            offset += 4
            if name >= 0x8000:  # a named property: a GUID, and a number or a name
                (by_name,) = struct.unpack_from("<I", data, offset + 16)
                offset += 20
                (number,) = struct.unpack_from("<I", data, offset)
                offset += 4 + (_padded(number) if by_name else 0)
            several = bool(kind & 0x1000)
            kind &= 0x0FFF
            values = 1
            if several or kind in (_STRING, _UNICODE, _OBJECT, _BINARY):
                (values,) = struct.unpack_from("<I", data, offset)
                offset += 4
            if kind == 0x01:
                continue
            if kind not in _FIXED and kind not in (_STRING, _UNICODE, _OBJECT, _BINARY) or values > _VALUES_LIMIT:
                return
            for place in range(values):
                size = _FIXED.get(kind)
                if size is None:
                    (size,) = struct.unpack_from("<I", data, offset)
                    offset += 4
                if offset > len(data):
                    return
                value = data[offset : offset + size]
                offset += _padded(size)
                if place == 0:
                    yield name, _value(kind, value, codepage)
    except struct.error:  # truncated in the middle of a value
        return


def _value(kind: int, value: bytes, codepage: str) -> str | bytes:
    if kind == _UNICODE:
        return value[:TEXT_LIMIT].decode("utf-16-le", "replace").rstrip("\0")
    return _text(value, codepage) if kind == _STRING else value


def _read_file(file: _Growing, value: bytes, codepage: str) -> None:
    for name, found in _properties(value, codepage):
        if name == _P_LONG_NAME or (name in (_P_NAME, _P_DISPLAY) and not file.long_name):
            file.long_name = _decoded(found, codepage)
        elif name == _P_DATA and isinstance(found, bytes):
            file.is_message = found.startswith(_EMBEDDED)
            file.data = found.removeprefix(_EMBEDDED)
        elif name == _P_CONTENT_ID:
            file.content_id = _decoded(found, codepage).strip("<> \0")[:200]


def _file(file: _Growing, position: int, codepage: str) -> TnefFile:
    is_message = file.is_message and len(file.data) > 4 and struct.unpack_from("<I", file.data)[0] == _SIGNATURE
    name = safe_name(file.long_name) or safe_name(_text(file.title, codepage)) or f"file-{position}"
    if is_message and not name.endswith(".dat"):
        name = f"{name}.dat"
    return TnefFile(name, file.data, is_message, file.content_id)


def _decoded(value: str | bytes, codepage: str) -> str:
    return _text(value, codepage) if isinstance(value, bytes) else value


def _text(value: bytes, codepage: str) -> str:
    text = decode_bytes(value[:TEXT_LIMIT].rstrip(b"\0"), codepage)
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")


def _charset(number: int) -> str:
    """The charset name of a Windows code page."""
    return {65001: "utf-8", 20127: "us-ascii", 28591: "iso-8859-1", 28605: "iso-8859-15"}.get(number, f"cp{number}")


def _padded(size: int) -> int:
    return (size + 3) // 4 * 4
