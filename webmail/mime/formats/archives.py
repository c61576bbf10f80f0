"""Archives: detects encryption, file names and macros in archives and office documents, from their first and last kilobytes.

Nothing is unpacked, and security does not rely on the result: an error means one warning too many or too few.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

PEEK = 4096  # encoded bytes that are read at each end
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")  # [MS-CFB]: old office documents, and encrypted new ones
_RAR4, _RAR5 = b"Rar!\x1a\x07\x00", b"Rar!\x1a\x07\x01\x00"
_SEVEN_ZIP = b"7z\xbc\xaf\x27\x1c"
_SEVEN_ZIP_AES = bytes.fromhex("06f10701")
_ENDS_NAMED = re.compile(r"\.(?:docx|xlsx|pptx|docm|xlsm|pptm|dotx|xltx|ppsx)\Z", re.I)


@dataclass(frozen=True, slots=True)
class Archive:
    """`locked`: encrypted with a password. `names`: the files that were seen; `count`: how many there are, as far as known."""

    locked: bool = False
    names: tuple[str, ...] = ()
    count: int = 0
    macros: bool = False


def inspect(filename: str, first: bytes, last: bytes) -> Archive:
    """Inspect the first and the last bytes (decoded), which may be the same. Never raises."""
    if first.startswith(_OLE):
        macros = any("VBA".encode("utf-16-le") in piece for piece in (first, last))
        return Archive(locked=bool(_ENDS_NAMED.search(filename)), macros=macros)
    if first.startswith(b"PK\x03\x04"):
        return _zip(first, last)
    if first.startswith(_SEVEN_ZIP):
        return Archive(locked=_SEVEN_ZIP_AES in last)
    if first.startswith(_RAR5):
        return Archive(locked=_rar5_locked(first))
    if first.startswith(_RAR4):
        return Archive(locked=_rar4_locked(first))
    return Archive()


def _zip(first: bytes, last: bytes) -> Archive:
    """APPNOTE.TXT sections 4.3.7 (local headers), 4.3.12 (central directory), 4.3.16 (its end)."""
    names: dict[str, None] = {}
    locked = False
    for signature, piece, flags_at, lengths_at, name_at in ((b"PK\3\4", first, 6, 26, 30), (b"PK\1\2", last, 8, 28, 46)):
        place = piece.find(signature)
        while place >= 0:
            if place + name_at <= len(piece):
                (flags,) = struct.unpack_from("<H", piece, place + flags_at)
                (length,) = struct.unpack_from("<H", piece, place + lengths_at)
                locked = locked or bool(flags & 0x2041)  # a password; strong encryption; of the directory itself
                name = piece[place + name_at : place + name_at + min(length, 1000)]
                if len(name) == length and length:
                    names[name.decode("utf-8" if flags & 0x800 else "cp437", "replace")] = None
            place = piece.find(signature, place + 4)
    end = last.rfind(b"PK\5\6")
    count = struct.unpack_from("<H", last, end + 10)[0] if end >= 0 and end + 12 <= len(last) else len(names)
    files = tuple(name for name in names if not name.endswith("/"))
    return Archive(locked, files, max(count, len(names)))


def _rar4_locked(data: bytes) -> bool:
    """The archive header says whether all further headers are encrypted, a file header whether the file is."""
    place = 7
    while place + 7 <= len(data):
        kind, flags, size = struct.unpack_from("<BHH", data, place + 2)
        if (kind == 0x73 and flags & 0x80) or (kind == 0x74 and flags & 0x04):
            return True
        if kind != 0x73 or size < 7:
            return False
        place += size
    return False


def _rar5_locked(data: bytes) -> bool:
    """A header of type 4 means that all headers are encrypted; an encrypted file has a record of type 1 in its extra area."""
    place = 8
    for _header in range(4):
        size, at = _number(data, place + 4)
        kind, inner = _number(data, at)
        flags, inner = _number(data, inner)
        if kind == 4:
            return True
        extra, inner = _number(data, inner) if flags & 1 else (0, inner)
        body, _inner = _number(data, inner) if flags & 2 else (0, inner)
        end = at + size
        if kind == 2 and extra:
            return _has_record(data[max(end - extra, 0) : end])
        if kind != 1 or size <= 0:
            return False
        place = end + body
    return False


def _has_record(extra: bytes) -> bool:
    place = 0
    for _record in range(20):
        size, at = _number(extra, place)
        kind, _inner = _number(extra, at)
        if not size or at >= len(extra):
            return False
        if kind == 1:
            return True
        place = at + size
    return False


def _number(data: bytes, position: int) -> tuple[int, int]:
    """Parse a variable-length integer of RAR 5: returns it and the position after it."""
    value = 0
    for count, byte in enumerate(data[position : position + 10]):
        value |= (byte & 0x7F) << 7 * count
        if not byte & 0x80:
            return value, position + count + 1
    return 0, len(data)
