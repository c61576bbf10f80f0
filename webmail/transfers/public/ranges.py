"""Byte ranges (RFC 9110 sections 13 and 14): which part of a file is asked for, and whether it is still the same file."""

from __future__ import annotations

import re
from dataclasses import dataclass

_RANGE = re.compile(r"\s*bytes\s*=\s*(\d{0,18})\s*-\s*(\d{0,18})\s*", re.I | re.A)


class UnsatisfiableError(ValueError):
    """The part lies behind the end: 416."""


@dataclass(frozen=True, slots=True)
class ByteRange:
    """`length` bytes from `start` on, of `size`."""

    start: int
    length: int
    size: int

    @property
    def is_whole(self) -> bool:
        return self.length == self.size

    @property
    def has_last_byte(self) -> bool:
        return self.start + self.length == self.size

    @property
    def content_range(self) -> str:
        return f"bytes {self.start}-{self.start + self.length - 1}/{self.size}"


def part_of(size: int, requested: str | None, if_range: str | None, etag: str) -> ByteRange | None:
    """The part that is asked for; None for the whole file, as where several parts are asked for, or words without sense, which
    a server may pass over. Raises UnsatisfiableError.

    `etag` in quotes, strong. A date in If-Range never fits: nothing says when these files were changed, since none ever is.
    """
    if requested is None or (if_range is not None and if_range.strip() != etag):
        return None
    found = _RANGE.fullmatch(requested) if len(requested) <= 100 else None
    if found is None or not (found[1] or found[2]):
        return None
    if not found[1]:
        length = min(int(found[2]), size)
        if not length:
            raise UnsatisfiableError(requested)
        return ByteRange(size - length, length, size)
    start, end = int(found[1]), int(found[2]) if found[2] else size - 1
    if found[2] and end < start:
        return None
    if start >= size:
        raise UnsatisfiableError(requested)
    return ByteRange(start, min(end, size - 1) - start + 1, size)
