"""Zip archives written as a stream, in constant memory however many files they hold (PKWARE APPNOTE 6.3.10, with ZIP64).

`zipfile` keeps a kilobyte for each file until the archive ends; here the table of contents waits in a temporary file.
"""

from __future__ import annotations

import struct
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from datetime import datetime
from types import TracebackType

_LOCAL, _AFTER, _CENTRAL = b"PK\x03\x04", b"PK\x07\x08", b"PK\x01\x02"
_END64, _LOCATOR, _END = b"PK\x06\x06", b"PK\x06\x07", b"PK\x05\x06"
_VERSION = 45  # what can read it: programs that know ZIP64
_UNIX = 3
_SIZES_FOLLOW, _UTF8 = 1 << 3, 1 << 11
_STORED, _DEFLATED = 0, 8
_IN_FIELD = 0xFFFFFFFF  # "see the ZIP64 field"
_MODE = 0o100600 << 16  # a file that its owner may read and write
_HELD = 1 << 20  # bytes of the table of contents in memory
_COPIED = 1 << 16
_LONGEST_NOTE = 65_000


class ZipStream:
    """An archive: `file` for each of its files, then `end`; whoever asks takes the bytes in order. Close it, or use `with`."""

    def __init__(self) -> None:
        self._contents = tempfile.SpooledTemporaryFile(_HELD)  # noqa: SIM115 (`close` does)
        self._count = 0
        self._size = 0

    def __enter__(self) -> ZipStream:
        return self

    def __exit__(self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._contents.close()

    def file(
        self, name: str, at: datetime, chunks: Iterable[bytes], *, compressed: bool = False, note: bytes = b""
    ) -> Iterator[bytes]:
        """A file of the archive. `name` has "/" between folders; `at` is written as it stands, in steps of two seconds. `note`:
        the file's comment."""
        offset, encoded, moment = self._size, name.encode("utf-8", "replace")[:65_000], _dos(at)
        how = _DEFLATED if compressed else _STORED
        common = struct.pack("<HHHHH", _VERSION, _SIZES_FOLLOW | _UTF8, how, *moment)
        local = common + struct.pack("<LLLHH", 0, _IN_FIELD, _IN_FIELD, len(encoded), 20)
        yield self._counted(_LOCAL + local + encoded + struct.pack("<HHQQ", 1, 16, 0, 0))
        crc, size, start = 0, 0, self._size
        packer = zlib.compressobj(1, zlib.DEFLATED, -15) if compressed else None
        for chunk in chunks:
            crc, size = zlib.crc32(chunk, crc), size + len(chunk)
            yield self._counted(packer.compress(chunk) if packer else chunk)
        if packer:
            yield self._counted(packer.flush())
        packed = self._size - start
        yield self._counted(_AFTER + struct.pack("<LQQ", crc, packed, size))
        sizes = struct.pack("<LLLHHHHHLL", crc, _IN_FIELD, _IN_FIELD, len(encoded), 28, len(note), 0, 0, _MODE, _IN_FIELD)
        self._contents.write(_CENTRAL + struct.pack("<BB", _VERSION, _UNIX) + common + sizes + encoded)
        self._contents.write(struct.pack("<HHQQQ", 1, 24, size, packed, offset) + note)
        self._count += 1

    def end(self, note: bytes = b"") -> Iterator[bytes]:
        """The table of contents. `note`: the archive's comment, if it is short enough for one."""
        begin, size = self._size, self._contents.tell()
        self._contents.seek(0)
        while piece := self._contents.read(_COPIED):
            yield piece
        yield _END64 + struct.pack("<QHHLLQQQQ", 44, _VERSION, _VERSION, 0, 0, self._count, self._count, size, begin)
        yield _LOCATOR + struct.pack("<LQL", 0, begin + size, 1)
        few, kept = min(self._count, 0xFFFF), note if len(note) <= _LONGEST_NOTE else b""
        yield _END + struct.pack("<HHHHLLH", 0, 0, few, few, min(size, _IN_FIELD), min(begin, _IN_FIELD), len(kept)) + kept

    def _counted(self, piece: bytes) -> bytes:
        self._size += len(piece)
        return piece


def stored_size(files: Iterable[tuple[str, int]]) -> int:
    """Bytes of an archive of these (name, size), none of them compressed."""
    total = 56 + 20 + 22
    for name, size in files:
        total += size + (30 + 20 + 24) + (46 + 28) + 2 * len(name.encode("utf-8", "replace")[:65_000])
    return total


def _dos(at: datetime) -> tuple[int, int]:
    """(time, date) as MS-DOS wrote them, from 1980 to 2107."""
    year = min(max(at.year, 1980), 2107) - 1980
    return at.hour << 11 | at.minute << 5 | at.second // 2, year << 9 | at.month << 5 | at.day
