"""Content too long to be held: made from its offset as it is read, and known by its digest as it comes."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from functools import cached_property
from typing import Any

_BLOCK = 1 << 20
_BASE = hashlib.shake_256(b"synthetic content").digest(_BLOCK)


class SyntheticContent:
    """So many bytes, no two MiB of which are the same. `pace`: seconds that each MiB takes to be read."""

    def __init__(self, size: int, pace: float = 0.0) -> None:
        self.size, self.pace = size, pace

    def __len__(self) -> int:
        return self.size

    def read(self, start: int = 0) -> Iterator[bytes]:
        for number in range(start // _BLOCK, -(-self.size // _BLOCK)):
            block = number.to_bytes(8, "big") + _BASE[8:]
            yield block[max(0, start - number * _BLOCK) : min(_BLOCK, self.size - number * _BLOCK)]
            if self.pace:
                time.sleep(self.pace)

    @cached_property
    def digest(self) -> str:
        return digest_of_pieces(self.read()) if not self.pace else SyntheticContent(self.size).digest


class ReceivedContent:
    """What came, in order, of which only the length and the digest are kept."""

    def __init__(self, pace: float = 0.0) -> None:
        self.size, self.pace, self._digest = 0, pace, hashlib.sha256()

    def __len__(self) -> int:
        return self.size

    def __iadd__(self, piece: bytes) -> ReceivedContent:
        self._digest.update(piece)
        self.size += len(piece)
        time.sleep(self.pace * len(piece) / _BLOCK)
        return self

    @property
    def digest(self) -> str:
        return self._digest.hexdigest()


def digest_of_pieces(pieces: Iterator[bytes]) -> str:
    found = hashlib.sha256()
    for piece in pieces:
        found.update(piece)
    return found.hexdigest()


def digest_of(content: Any) -> str:
    """Of bytes too."""
    return content.digest if isinstance(content, SyntheticContent | ReceivedContent) else hashlib.sha256(content).hexdigest()


def whole(content: Any) -> Any:
    """What an upload became."""
    return content if isinstance(content, ReceivedContent) else bytes(content)


def body_from(content: Any, start: int) -> Any:
    """What is answered from an offset on."""
    return content.read(start) if isinstance(content, SyntheticContent) else bytes(content)[start:]
