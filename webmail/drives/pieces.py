"""Pieces of an upload: what a reader brings in any lengths, cut as a service wants them."""

from __future__ import annotations

from collections.abc import Iterator

from webmail.drives.drive import PIECE, DriveError, DriveFault, ReadFrom


def pieces_from(read: ReadFrom, start: int, size: int, length: int = PIECE) -> Iterator[bytes]:
    """The bytes from `start` to `size` in pieces of `length`, the last one shorter. Raises DriveError (CHANGED) where there
    are less or more of them than `size` says.
    """
    left, at = bytearray(), start
    for more in read(start):
        left += more
        if at + len(left) > size:
            raise DriveError(DriveFault.CHANGED, "what is sent is longer than it was")
        while len(left) >= length:
            at += length
            yield bytes(left[:length])
            del left[:length]
    if at + len(left) != size:
        raise DriveError(DriveFault.CHANGED, "what is sent is shorter than it was")
    if left:
        yield bytes(left)
