"""Turns of uploads, and their bodies: who reads, who waits, and when a slow one is given up. No Flask here.

A body is read as it comes, so whoever sends it holds a thread: without turns a few slow clients would stop every page. Nothing
ends a read that waits for a client that sends nothing more (nginx does, after its `client_body_timeout`). turn_order.py says
who is next.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import datetime

from webmail import pages_first
from webmail.config import Settings
from webmail.errors import MailError
from webmail.models import now
from webmail.transfers import turn_file
from webmail.transfers.turn_order import Claim, Sender, Turn, TurnKind

RETRY_SECONDS = 5
_SLOW_SECONDS, _SLOW_BYTES = 60.0, 64 * 1024  # less than so much in so long is given up
_STILL_SECONDS = 15.0  # without a byte: another request may go on with the same upload
_READ, _READ_SLOWLY = 4096, 64  # bytes: what is read waits until so many are there, so slow clients are asked for few
_CHUNK = 128 * 1024
_AT_SPEED = 0.05  # seconds: a chunk that comes faster comes from a client that the reading need not wait for
_PATIENCE = 0.02  # seconds to wait for the reading of another
_AT_DOOR, _FORM_AT_DOOR = 1.0, 5.0  # seconds that a thread waits for a turn; a quarter as many may as there are turns
_CREATED_AT_ONCE, _CREATIONS_WAITING, _CREATION_PATIENCE = 2, 4, 3.0  # threads, threads, seconds
_LOOK = 0.2  # seconds after which it is looked again who is next


class TooManyUploads(MailError):
    """No turn is free, or others have it next: come back in `retry` seconds."""

    status = 503
    retry = RETRY_SECONDS


class UploadBusy(MailError):
    """Another request is bringing bytes of the same file at this moment."""

    status = 423


class UploadTooSlow(MailError):
    """So few bytes come that the thread is given to somebody else; what came is kept."""

    status = 408


@contextmanager
def turn(
    sender: Sender, settings: Settings, upload: str = "", kind: TurnKind = TurnKind.BODY, touched: datetime | None = None
) -> Iterator[Turn]:
    """A turn for as long as the block lasts. `upload`: "" for a form; `touched`: when bytes of it came last.

    Raises UploadBusy, and TooManyUploads: at once, after a moment in which nobody made room, or from the Body in the block.
    """
    taken = _take(_claim(sender, upload, kind, touched), settings)
    try:
        yield taken
    except TooManyUploads as over:
        _leave(taken, settings)
        over.retry = pause(sender, settings, upload) or 1
        raise
    finally:
        _leave(taken, settings)


@contextmanager
def creation() -> Iterator[None]:
    """Begin an upload, of which no bytes are read: few at once, since SQLite has one writer at a time. Raises TooManyUploads."""
    if not _creations.enter():
        raise TooManyUploads("many uploads are being created")
    try:
        yield
    finally:
        _creations.leave()


class _Creations:
    """How many are being created, and wait for it."""

    def __init__(self) -> None:
        self._turns = threading.BoundedSemaphore(_CREATED_AT_ONCE)
        self._asking = threading.BoundedSemaphore(_CREATED_AT_ONCE + _CREATIONS_WAITING)

    def enter(self) -> bool:
        if not self._asking.acquire(blocking=False):
            return False
        if self._turns.acquire(timeout=_CREATION_PATIENCE):
            return True
        self._asking.release()
        return False

    def leave(self) -> None:
        self._turns.release()
        self._asking.release()


_creations = _Creations()


def pause(sender: Sender, settings: Settings, upload: str, touched: datetime | None = None) -> int:
    """How many seconds an upload that has no turn should wait before it sends more, since others are before it; 0: it is next."""
    with turn_file.order(settings) as order:
        if order.is_busy(upload, time.monotonic() - _STILL_SECONDS):
            return 0
        return order.keep(_claim(sender, upload, TurnKind.BODY, touched), time.monotonic())


def _claim(sender: Sender, upload: str, kind: TurnKind, touched: datetime | None) -> Claim:
    ago = (now() - touched).total_seconds() if touched is not None else 0.0
    return Claim(upload or secrets.token_hex(8), sender, kind, time.monotonic() - max(0.0, ago))


def _take(claim: Claim, settings: Settings) -> Turn:
    began, form = time.monotonic(), claim.kind is TurnKind.FORM
    patience = _FORM_AT_DOOR if form else _AT_DOOR
    with turn_file.order(settings) as order:
        if order.is_busy(claim.upload, began - _STILL_SECONDS):
            raise UploadBusy(f"{claim.upload} is being uploaded")
        taken = order.enter(claim, began)
        waits = taken is None and order.stand(claim, began, patience)
    if waits:
        taken = _wait(claim, settings, began + patience)
    if taken is None:
        refused = TooManyUploads("all turns are taken")
        if not form:
            with turn_file.order(settings) as order:
                refused.retry = order.keep(claim, time.monotonic()) or 1
        raise refused
    return taken


def _wait(claim: Claim, settings: Settings, end: float) -> Turn | None:
    """Hold the thread until there is a turn, or it is `end`."""
    taken = None
    while taken is None and (left := end - time.monotonic()) > 0:
        with turn_file.change:
            turn_file.change.wait(min(left, _LOOK))
        with turn_file.order(settings) as order:
            taken = order.enter(claim, time.monotonic())
    if taken is None:
        with turn_file.order(settings) as order:
            order.withdraw(claim)
            claim.at_door = 0
    return taken


def _leave(taken: Turn, settings: Settings) -> None:
    with turn_file.order(settings) as order:
        order.leave(taken, time.monotonic())
    turn_file.let_go(taken)


class Body:
    """What a client sends, read as it comes. `length`: as it declared, None if it did not; `read(n)`: as of `wsgi.input`."""

    def __init__(
        self, read: Callable[[int], bytes], length: int | None, held: Turn | None = None, settings: Settings | None = None
    ) -> None:
        self.length = length
        self.received = 0
        self._read = read
        self._turn, self._settings = held, settings
        self._size = _READ
        self._waited, self._before = 0.0, 0  # seconds for the client since so many bytes had come
        self._slow = self._at_speed = False
        self._left = pages_first.LONGEST  # seconds to let pages go first, in this chunk
        self._looked = 0.0  # when it was looked who is next

    @property
    def broke_off(self) -> bool:
        """Whether less came than was declared, once all of `chunks` was read."""
        return self.length is not None and self.received < self.length

    def chunks(self) -> Iterator[bytes]:
        """Up to 128 KiB at a time. Ends early where the connection broke.

        Raises UploadTooSlow, and TooManyUploads where others have the turn next, after what came.
        """
        while chunk := self._chunk():
            yield chunk
            if self._slow:
                raise UploadTooSlow(f"{self.received} bytes came")
            if self._is_over and self.received != self.length:
                raise TooManyUploads(f"{self.received} bytes came, others are next")

    def _chunk(self) -> bytes:
        """Less at the end, and of a slow client. One whose bytes are there already takes turns with others like it."""
        gathered: list[bytes] = []
        size, self._left = 0, pages_first.LONGEST
        with pages_first.READING.turn(_PATIENCE) if self._at_speed else nullcontext():
            began = time.monotonic()
            while size < _CHUNK and not self._slow and not self._is_over and (part := self._some()):
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
        self._look(began + took)
        return part

    @property
    def _is_over(self) -> bool:
        return self._turn is not None and self._turn.leaving

    def _look(self, moved: float) -> None:
        """Whether somebody is before it."""
        if self._turn is not None and self._settings is not None and moved - self._looked > _LOOK:
            self._looked = moved
            with turn_file.order(self._settings) as order:
                order.look(self._turn, moved)

    def _is_slow(self, took: float) -> bool:
        """Only the time counts that the client takes, not that of the storage."""
        self._waited += took
        if self.received - self._before >= _SLOW_BYTES:
            self._waited, self._before = 0.0, self.received
        return self._waited > _SLOW_SECONDS
