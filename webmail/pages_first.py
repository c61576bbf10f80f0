"""Pages first: what moves large files lets the pages that people wait for go before it. No Flask here.

Python runs one thread at a time: a page that asks the mail server a dozen things would stand behind eight uploads a dozen times,
and these would keep all processors busy besides. Those serve all web processes of a machine, so when the last page was begun
stands in a file of eight bytes (`share`); where it can't be used, as on a full disk, each knows of its own.
"""

from __future__ import annotations

import logging
import os
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

log = logging.getLogger(__name__)

LONGEST = 0.05  # seconds that anything waits for pages in one go: however many are asked for, files move on
_PAGE = 1.0  # seconds: what takes longer waits for something itself, such as a form that comes slowly
_LATELY = 1.0  # seconds after the beginning of a page, in which the next one is likely

_TIME = struct.Struct("d")  # of time.monotonic, which is the same for all processes of a machine

_change = threading.Condition()  # reentrant
_pages: dict[int, float] = {}  # thread -> when its page was begun
_last_begun = -_LATELY
_file: list[Path] = []  # shared, and not opened yet
_shared: int | None = None  # its descriptor; not mapped: a disk that is full would end the process by a signal


def share(path: Path) -> None:
    """Other web processes of this machine use this file too. Opened once a page is begun, or a file moved."""
    global _shared
    with _change:
        if _shared is not None:
            os.close(_shared)
        _file[:], _shared = [path], None


def begun() -> None:
    """A page is being made in this thread."""
    global _last_begun
    with _change:
        _last_begun = _pages[threading.get_ident()] = time.monotonic()
        if (everybody := _opened()) is not None:
            try:
                os.pwrite(everybody, _TIME.pack(_last_begun), 0)
            except OSError as error:
                _give_up(error)


def ended() -> None:
    """It is made. Idempotent."""
    with _change:
        if _pages.pop(threading.get_ident(), None) is not None and not _pages:
            _change.notify_all()


def give_way(longest: float = LONGEST) -> float:
    """Wait until no page is being made, for `longest` seconds at most. Returns how many of them are left."""
    if not _pages or longest <= 0:
        return longest
    end = time.monotonic() + longest
    with _change:
        while (left := end - time.monotonic()) > 0 and any(since > end - longest - _PAGE for since in _pages.values()):
            _change.wait(left)
    return left


def are_asked_for() -> bool:
    """Whether a page was begun lately, by any web process of this machine."""
    last, everybody = _last_begun, _opened()
    if everybody is not None:
        try:
            written = os.pread(everybody, _TIME.size, 0)
        except OSError as error:
            written = b""
            _give_up(error)
        if len(written) == _TIME.size:
            last = max(last, _TIME.unpack(written)[0])
    return 0 <= time.monotonic() - last < _LATELY  # the clock may have begun anew since the file was written


def _opened() -> int | None:
    global _shared
    with _change:
        if _file and _shared is None:
            try:
                _shared = os.open(_file.pop(), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            except OSError as error:
                _give_up(error)
        return _shared


def _give_up(error: OSError) -> None:
    """Do without the file until this process ends. It stays open: another thread may be reading it."""
    global _shared
    _shared = None
    log.warning("other processes are not told of pages: %s", error)


class Share:
    """Work that, while pages are asked for, has a small part of the time of one processor, all threads of this process together.

    Not a Lane: a thread that hands on bytes may wait for its reader at any moment, and would keep others from theirs.
    """

    def __init__(self, rest: float) -> None:
        self._rest = rest  # seconds for each second of work
        self._free = threading.Lock()
        self._next = 0.0  # when all work until now has been rested from

    def worked(self, seconds: float) -> None:
        """So much work was done in this thread: wait, behind others that worked, until more of it may be."""
        with self._free:
            begins = self._next = max(self._next, time.monotonic()) + seconds * self._rest
        while (asked := are_asked_for()) and (left := begins - time.monotonic()) > 0:
            time.sleep(min(left, LONGEST))
        if not asked:
            self._next = 0.0  # what was owed to pages is owed to nobody


class Lane:
    """Work of which one thread does some at a time. While pages are asked for, it rests as long as it worked."""

    def __init__(self) -> None:
        self._free = threading.Lock()

    @contextmanager
    def turn(self, patience: float = -1) -> Iterator[None]:
        """Do some of it, beside whoever is at it after so many seconds; less than 0: wait until nobody is."""
        alone = self._free.acquire(timeout=patience)
        began = time.monotonic()
        try:
            yield
        finally:
            if alone:
                now = time.monotonic()
                if are_asked_for():
                    time.sleep(min(now - began, LONGEST))
                self._free.release()


READING, COMPUTING = Lane(), Lane()  # taking bytes off the line; hashing and encrypting them
SENDING = Share(30.0)  # reading, decrypting and handing on: nginx, TLS and the kernel cost three times as much besides
