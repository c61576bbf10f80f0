"""Push streams: server-sent events that tell open pages of changes in their folder, and of what other areas have to tell; limits
and lifetime. No Flask here."""

from __future__ import annotations

import logging
import os
import select
import time
from collections.abc import Callable, Iterator, Sequence
from threading import RLock
from typing import Protocol

from webmail.errors import MailError

PER_PERSON = 2

_SILENCE = 25.0  # seconds until a keep-alive comment, which reveals whether the browser is still connected
_PAUSE = 2.0  # seconds between two events
_LIFE = 15 * 60.0  # seconds; then the browser reconnects by itself
_COMES_BACK_MS = 15_000

log = logging.getLogger(__name__)

_lock = RLock()  # reentrant: the garbage collector may release an unclosed stream at any moment
_open: dict[int, list[StreamSlot]] = {}  # by user id, the oldest first


class StreamSlot:
    """A slot for one stream, limited per process and per user."""

    def __init__(self, person: int) -> None:
        self._person = person
        self.lost = False  # taken over by a later stream of the same user
        self.bell = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)  # readable once the slot is lost

    def give_back(self) -> None:
        """Release the slot; idempotent."""
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
    """A slot among the `most` of this process and PER_PERSON of this user, if necessary that of their oldest stream; else None.

    Taking over is needed because a stream that the browser left is only noticed at the next write.
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


class Watched(Protocol):
    """What a stream waits for: a `Watch` of a folder, or `Silence`."""

    def changed(self, seconds: float, bell: int = -1) -> bool: ...

    def close(self) -> None: ...


class Silence:
    """In place of a `Watch`, on pages without a folder: nothing happens, without a connection."""

    def changed(self, seconds: float, bell: int = -1) -> bool:
        """Wait so long, or until the file descriptor `bell` becomes readable."""
        poll = select.poll()
        if bell >= 0:
            poll.register(bell, select.POLLIN)
        poll.poll(seconds * 1000)
        return False

    def close(self) -> None:
        """Nothing is open."""


Look = Callable[[], Sequence[tuple[str, str]] | None]


class PushStream:
    """Server-sent events (HTML Living Standard, section 9.2). Always close it: `events` may never be started."""

    def __init__(self, stream_slot: StreamSlot, watch: Watched, look: Look) -> None:
        """`look` returns the events of other areas since it was asked last (name, data), or None once the user is no longer
        signed in; asked at the beginning and before each event."""
        self._place, self._watch, self._look = stream_slot, watch, look

    def events(self) -> Iterator[bytes]:
        """Yields an event `news` for each change, at least two seconds apart, without any mail content; those of other areas;
        `full`, as the last one, when the slot was taken over.
        """
        end = time.monotonic() + _LIFE
        try:
            yield b"retry: %d\n\n" % _COMES_BACK_MS
            if (told := self._look()) is None:
                return
            yield from _written(told)
            while (left := end - time.monotonic()) > 0:
                changed = self._watch.changed(min(_SILENCE, left), self._place.bell)
                if self._place.lost:
                    yield b"event: full\ndata: full\n\n"
                    return
                if (told := self._look()) is None:
                    return
                yield from _written(told)
                if changed:
                    yield b"event: news\ndata: changed\n\n"
                elif not told:
                    yield b": still here\n\n"
                if changed:
                    time.sleep(_PAUSE)
        except MailError as error:
            log.info("a stream ends: %s", error)
        finally:
            self.close()

    def close(self) -> None:
        """Close the IMAP connection and release the slot; idempotent."""
        try:
            self._watch.close()
        finally:
            self._place.give_back()


def _written(told: Sequence[tuple[str, str]]) -> Iterator[bytes]:
    for name, data in told:
        yield f"event: {name}\ndata: {data}\n\n".encode()
