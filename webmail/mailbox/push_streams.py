"""Streams that tell an open page that something changed in its folder: how many there may be, how long they last and what
they say. No Flask here."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator
from threading import RLock

from webmail.errors import MailError
from webmail.imap.idle import Watch

PER_PERSON = 2

_SILENCE = 25.0  # seconds: then a line that says nothing shows whether the browser is still there
_PAUSE = 2.0  # seconds between two events
_LIFE = 15 * 60.0  # seconds; the browser comes back by itself
_COMES_BACK_MS = 15_000

log = logging.getLogger(__name__)

_lock = RLock()  # a stream that nobody closed is given back by the garbage collector, at any moment
_open: dict[int, list[StreamSlot]] = {}  # of each person, the oldest first


class StreamSlot:
    """One of the streams that a process, and a person, may have."""

    def __init__(self, person: int) -> None:
        self._person = person
        self.lost = False  # to a later stream of the same person
        self.bell = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)  # rings when it is

    def give_back(self) -> None:
        """Twice does no harm."""
        with _lock:
            self._leave()
            if self.bell >= 0:
                os.close(self.bell)
                self.bell = -1

    def _lose(self) -> None:
        self._leave()
        self.lost = True
        os.eventfd_write(self.bell, 1)

    def _leave(self) -> None:
        mine = _open.get(self._person, [])
        if self in mine:
            mine.remove(self)
        if not mine:
            _open.pop(self._person, None)


def take(person: int, most: int) -> StreamSlot | None:
    """A place among the `most` of all people and the `PER_PERSON` of this one, if need be that of their oldest stream; else None.

    Whoever leaves a list for another must not wait for a place until it is noticed that nobody listens at the old one.
    """
    with _lock:
        mine = _open.get(person, [])
        if len(mine) >= PER_PERSON or sum(map(len, _open.values())) >= most:
            if not mine:
                return None
            mine[0]._lose()
        place = StreamSlot(person)
        _open.setdefault(person, []).append(place)
    return place


def open_now() -> int:
    with _lock:
        return sum(map(len, _open.values()))


class PushStream:
    """A `Watch` as server-sent events (HTML Living Standard, section 9.2). Close it in every case: it may never begin."""

    def __init__(self, place: StreamSlot, watch: Watch, wanted: Callable[[], bool]) -> None:
        """`wanted` is asked before anything is said whether the person is still signed in."""
        self._place, self._watch, self._wanted = place, watch, wanted

    def events(self) -> Iterator[bytes]:
        """An event `news` for each change, two seconds apart at least: nothing of anybody's mail is in it. `full` is the
        last word to a browser whose place was needed."""
        end = time.monotonic() + _LIFE
        try:
            yield b"retry: %d\n\n" % _COMES_BACK_MS
            while (left := end - time.monotonic()) > 0:
                changed = self._watch.changed(min(_SILENCE, left), self._place.bell)
                if self._place.lost:
                    yield b"event: full\ndata: full\n\n"
                    return
                if not self._wanted():
                    return
                yield b"event: news\ndata: changed\n\n" if changed else b": still here\n\n"
                if changed:
                    time.sleep(_PAUSE)
        except MailError as error:
            log.info("a stream ends: %s", error)
        finally:
            self.close()

    def close(self) -> None:
        """Hang up and give the place back; twice does no harm."""
        try:
            self._watch.close()
        finally:
            self._place.give_back()
