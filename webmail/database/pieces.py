"""Pieces: many writes as short transactions, so that nobody waits long for the one write lock that SQLite has."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

AIM = 0.05  # seconds for one piece
_FIRST, _MOST = 50, 500
_LONGEST_PAUSE = 0.2  # seconds
_NOTICEABLE = 0.005

T = TypeVar("T")


def chunks(values: Iterable[T], size: int = 400) -> Iterator[list[T]]:
    """Each value once, in lists of at most so many: databases limit the parameters of a statement."""
    wanted = list(dict.fromkeys(values))
    for at in range(0, len(wanted), size):
        yield wanted[at : at + size]


def in_pieces(items: Sequence[T], first: int = _FIRST) -> Iterator[Sequence[T]]:
    """The items in pieces, each to be written in a transaction with nothing else to do: as large as was written in AIM before.

    After each piece others get as much time as it took, since those who wait look only now and then.
    """
    at, size = 0, max(first, 1)
    while at < len(items):
        began = time.monotonic()
        yield items[at : at + size]
        took = time.monotonic() - began
        at += size
        size = next_size(size, took)
        if at < len(items):
            give_way(took)


def next_size(size: int, took: float) -> int:
    """How large the next piece may be after one of `size` that took so many seconds."""
    fitting = int(size * AIM / max(took, 0.001))
    return max(1, min(fitting, 2 * size, _MOST))


def give_way(took: float) -> None:
    """Let others write, for as long as the lock was held."""
    if took > _NOTICEABLE:
        time.sleep(min(took, _LONGEST_PAUSE))
