"""Bodies of uploads: how many are read at once, and when a slow one is given up. No Flask here.

A body is read as it comes, so whoever sends it holds a thread. Nothing here ends a read that waits for a client that sends
nothing more: nginx does, after its `client_body_timeout`. What came is kept, so a body can be broken off for others.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

from webmail.admission import Admission, AdmissionRefusedError, AdmittedPlace
from webmail.config import services
from webmail.config.settings import Settings
from webmail.errors import MailError

RETRY_SECONDS = 3
EACH = 4  # of one person: three files, and one that was broken off; half of all at most
HOLD = 3.0  # seconds for which nobody is asked to make room
_SLOW_SECONDS, _SLOW_BYTES = 60.0, 64 * 1024  # less than so much in so long is given up
_STILL_SECONDS = 15.0  # without a byte: another request may go on with the same upload
_READ, _READ_SLOWLY = 4096, 64  # bytes: what is read waits until so many are there, so slow clients are asked for few
_CHUNK = 128 * 1024
_PATIENCE, _FORM_PATIENCE = 1.0, 5.0  # seconds: forms can't come back by themselves
_LOOK = 0.2  # seconds after which it is looked again whether others want the place

# forms of pages for large files that have none, or small ones: they wait for no file of others. A class may send its homework
# from one network; those that find no place here are admitted like large ones
SMALL_FORMS = Admission(4, of_one=3)
_creating = Admission(2, waiting=4, patience=3.0)  # SQLite has one writer at a time
_coming: dict[str, Body] = {}  # uploads whose bytes are being read
_lock = threading.Lock()


class TooManyUploadsError(MailError):
    """There is no place, or others have it next: come back in `retry` seconds."""

    status = 503
    retry = RETRY_SECONDS


class UploadBusyError(MailError):
    """Another request is bringing bytes of the same file at this moment."""

    status = 423


class UploadTooSlowError(MailError):
    """So few bytes come that the thread is given to somebody else; what came is kept."""

    status = 408


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends. `network`: of guests, who are many behind one address."""

    person: str
    network: str = ""


def _most(settings: Settings) -> int:
    return services.places(settings.service, settings.transfers.uploads_at_once)


@cache
def _uploads(most: int) -> Admission:
    each, of_network = min(EACH, max(1, most // 2)), max(1, most * 3 // 4)
    return Admission(most, of_one=each, of_one_network=of_network, waiting=max(1, most // 4), patience=_PATIENCE)


@cache
def _forms(most: int) -> Admission:
    """Some of these places: forms are not broken off for others."""
    return Admission(max(1, most * 3 // 4), waiting=max(1, most // 4), patience=_FORM_PATIENCE)


@contextmanager
def admitted(sender: Sender, settings: Settings, *, form: bool = False) -> Iterator[AdmittedPlace]:
    """A place to read a body. Raises TooManyUploadsError, at once or after a moment."""
    most = _most(settings)
    try:
        with _forms(most).admit() if form else _uploads(most).admit(sender.person, sender.network) as place:
            if form:
                with _uploads(most).admit(sender.person, sender.network, _FORM_PATIENCE) as inner:
                    yield inner
            else:
                yield place
    except AdmissionRefusedError as error:
        raise TooManyUploadsError(str(error)) from error


@contextmanager
def creation() -> Iterator[None]:
    """Begin an upload, of which no bytes are read. Raises TooManyUploadsError."""
    try:
        with _creating.admit():
            yield
    except AdmissionRefusedError as error:
        raise TooManyUploadsError("many uploads are being created") from error


def pause(sender: Sender, settings: Settings) -> int:
    """How many seconds somebody should wait before they send more, since others do, or were refused lately; 0: none."""
    try:
        with _uploads(_most(settings)).admit(sender.person, sender.network, 0.0) as place:
            return RETRY_SECONDS if place.is_wanted() else 0
    except AdmissionRefusedError:
        return RETRY_SECONDS


class Body:
    """What a client sends, read as it comes. `length`: as it declared, None if it did not; `read(n)`: as of `wsgi.input`.

    `place`: it ends early where others want that; None where nothing would be kept of a part.
    """

    def __init__(self, read: Callable[[int], bytes], length: int | None) -> None:
        self.length = length
        self.place: AdmittedPlace | None = None
        self.received = 0
        self._read = read
        self._size = _READ
        self._waited, self._before = 0.0, 0  # seconds for the client since so many bytes had come
        self._slow = self._is_over = False
        self._looked = self.moved = time.monotonic()

    @contextmanager
    def receiving(self, upload: str) -> Iterator[Body]:
        """The bytes of this upload, which no other request brings meanwhile. Raises UploadBusyError."""
        with _lock:
            other = _coming.get(upload)
            if other is not None and other.moved > time.monotonic() - _STILL_SECONDS:
                raise UploadBusyError(f"{upload} is being uploaded")
            _coming[upload] = self
        try:
            yield self
        finally:
            with _lock:
                if _coming.get(upload) is self:
                    del _coming[upload]

    def chunks(self) -> Iterator[bytes]:
        """Up to 128 KiB at a time. Ends early where the connection broke.

        Raises UploadTooSlowError, and TooManyUploadsError where others want the place, after what came.
        """
        while chunk := self._chunk():
            yield chunk
            if self._slow:
                raise UploadTooSlowError(f"{self.received} bytes came")
            if self._is_over and self.received != self.length:
                raise TooManyUploadsError(f"{self.received} bytes came, others are next")

    def drop(self, most: int = 1 << 20) -> None:
        """Read a little of what nobody wants, so that the client reads the answer: a connection that is cut hides it."""
        for part in self.chunks():
            most -= len(part)
            if most < 0:
                return

    def _chunk(self) -> bytes:
        """Less at the end, and of a slow client."""
        gathered: list[bytes] = []
        size = 0
        while size < _CHUNK and not self._slow and not self._is_over and (part := self._some()):
            gathered.append(part)
            size += len(part)
        return b"".join(gathered)

    def _some(self) -> bytes:
        wanted = self._size if self.length is None else min(self._size, self.length - self.received)
        if wanted <= 0:
            return b""
        began = time.monotonic()
        part = self._read(wanted)
        self.moved = time.monotonic()
        took = self.moved - began
        self._size = _READ_SLOWLY if took > 1 else _READ
        self.received += len(part)
        self._slow = self._is_slow(took)
        if self.place is not None and self.moved - self._looked > _LOOK:
            self._looked = self.moved
            self._is_over = self.place.is_wanted(HOLD)
        return part

    def _is_slow(self, took: float) -> bool:
        """Only the time counts that the client takes, not that of the storage."""
        self._waited += took
        if self.received - self._before >= _SLOW_BYTES:
            self._waited, self._before = 0.0, self.received
        return self._waited > _SLOW_SECONDS
