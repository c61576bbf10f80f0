"""Turns of uploads, and their bodies: how many are taken at once in this process, and when a slow one is given up. No Flask here.

A body is read as it comes, so whoever sends it holds a thread: without turns a few slow clients would stop every page. Nothing
ends a read that waits for a client that sends nothing more (nginx does, after its `client_body_timeout`).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field

from webmail import pages_first
from webmail.errors import MailError

EACH = 4  # of one person, or network of somebody without an account: three files, and one that was broken off
RETRY_SECONDS = 5
_SLOW_SECONDS, _SLOW_BYTES = 60.0, 64 * 1024  # less than so much in so long is given up
_STILL_SECONDS = 15.0  # without a byte: another request may go on with the same upload
_READ, _READ_SLOWLY = 4096, 64  # bytes: what is read waits until so many are there, so slow clients are asked for few
_CHUNK = 128 * 1024
_AT_SPEED = 0.05  # seconds: a chunk that comes faster comes from a client that the reading need not wait for
_PATIENCE = 0.02  # seconds to wait for the reading of another


class TooManyUploads(MailError):
    """No turn is free: come back in a few seconds."""

    status = 503


class UploadBusy(MailError):
    """Another request is bringing bytes of the same file at this moment."""

    status = 423


class UploadTooSlow(MailError):
    """So few bytes come that the thread is given to somebody else; what came is kept."""

    status = 408


@dataclass(eq=False, slots=True)
class Turn:
    """A thread that reads a body. `upload`: of what, "" where it is not known yet."""

    person: str
    upload: str = ""
    moved: float = field(default_factory=time.monotonic)  # when bytes came last


_lock = threading.Lock()
_turns: set[Turn] = set()


@contextmanager
def turn(person: str, most: int, upload: str = "") -> Iterator[Turn]:
    """A turn for as long as the block lasts, at once or not at all. Raises TooManyUploads, UploadBusy."""
    taken = _take(person, most, upload)
    try:
        yield taken
    finally:
        with _lock:
            _turns.discard(taken)


def _take(person: str, most: int, upload: str) -> Turn:
    with _lock:
        if upload and any(one.upload == upload and one.moved > time.monotonic() - _STILL_SECONDS for one in _turns):
            raise UploadBusy(f"{upload} is being uploaded")
        if len(_turns) >= most or sum(one.person == person for one in _turns) >= EACH:
            raise TooManyUploads(f"{len(_turns)} uploads have a turn")
        taken = Turn(person, upload)
        _turns.add(taken)
        return taken


def running() -> int:
    """How many uploads have a turn in this process."""
    return len(_turns)


class Body:
    """What a client sends, read as it comes. `length`: as it declared, None if it did not; `read(n)`: as of `wsgi.input`."""

    def __init__(self, read: Callable[[int], bytes], length: int | None, held: Turn | None = None) -> None:
        self.length = length
        self.received = 0
        self._read = read
        self._turn = held
        self._size = _READ
        self._waited, self._before = 0.0, 0  # seconds for the client since so many bytes had come
        self._slow = self._at_speed = False
        self._left = pages_first.LONGEST  # seconds to let pages go first, in this chunk

    @property
    def broke_off(self) -> bool:
        """Whether less came than was declared, once all of `chunks` was read."""
        return self.length is not None and self.received < self.length

    def chunks(self) -> Iterator[bytes]:
        """Up to 128 KiB at a time. Raises UploadTooSlow, after what came. Ends early where the connection broke."""
        while chunk := self._chunk():
            yield chunk
            if self._slow:
                raise UploadTooSlow(f"{self.received} bytes came")

    def _chunk(self) -> bytes:
        """Less at the end, and of a slow client. One whose bytes are there already takes turns with others like it."""
        gathered: list[bytes] = []
        size, self._left = 0, pages_first.LONGEST
        with pages_first.READING.turn(_PATIENCE) if self._at_speed else nullcontext():
            began = time.monotonic()
            while size < _CHUNK and not self._slow and (part := self._some()):
                gathered.append(part)
                size += len(part)
            self._at_speed = time.monotonic() - began < _AT_SPEED + pages_first.LONGEST - self._left
        return b"".join(gathered)

    def drop(self, most: int = 1 << 20) -> None:
        """Read a little of what nobody wants, so that the client reads the answer: a connection that is cut hides it."""
        for part in self.chunks():
            most -= len(part)
            if most < 0:
                return

    def _some(self) -> bytes:
        wanted = self._size if self.length is None else min(self._size, self.length - self.received)
        if wanted <= 0:
            return b""
        self._left = pages_first.give_way(self._left)
        began = time.monotonic()
        part = self._read(wanted)
        took = time.monotonic() - began
        self._size = _READ_SLOWLY if took > 1 else _READ
        self.received += len(part)
        self._slow = self._is_slow(took)
        if self._turn is not None:
            self._turn.moved = began + took
        return part

    def _is_slow(self, took: float) -> bool:
        """Only the time counts that the client takes, not that of the storage."""
        self._waited += took
        if self.received - self._before >= _SLOW_BYTES:
            self._waited, self._before = 0.0, self.received
        return self._waited > _SLOW_SECONDS
