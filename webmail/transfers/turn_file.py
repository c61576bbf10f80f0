"""The file that keeps the order of uploads for all web processes of this machine, beside the job queue. No Flask here.

It is read and written under a lock, some 5 KB with twenty uploads. A process that is killed leaves turns there, which count no
more once it is gone. Where the file can't be used, each process keeps an order of its own: a little less fair, and uploads go on.
"""

from __future__ import annotations

import fcntl
import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from webmail.config import Settings
from webmail.transfers.turn_order import Turn, TurnOrder

log = logging.getLogger(__name__)

change = threading.Condition()  # held while the order is used; told when a turn of this process ends
_held: set[tuple[str, float]] = set()  # turns of this process: another that had its number may have been killed
_own = {"": ""}  # what was read last, by file: where it can't be used
_MOST = 1 << 20  # bytes


@contextmanager
def order(settings: Settings) -> Iterator[TurnOrder]:
    """The order; what the block changes in it is kept. `change` is held meanwhile."""
    path = Path(settings.jobs_file).with_name("uploads.order")
    with change, _locked(path) as file:
        found = TurnOrder(os.getpid(), settings.transfers.uploads_at_once)
        before = _read(file, path)
        _load(found, before)
        yield found
        _held.update((one.upload, one.began) for one in found.turns if one.pid == found.pid)
        if (after := found.dump()) != before:
            _write(file, path, after)


def let_go(turn: Turn) -> None:
    """This turn is over."""
    with change:
        _held.discard((turn.upload, turn.began))
        change.notify_all()


def running() -> int:
    """How many turns this process has."""
    return len(_held)


def _load(found: TurnOrder, text: str) -> None:
    try:
        if text:
            found.load(text, _is_alive)
    except (ValueError, TypeError, KeyError, AttributeError) as error:  # cut off, or of another version
        log.warning("the order of uploads was not readable: %s", error)
        found.turns, found.claims, found.served = [], {}, {}


def _is_alive(turn: Turn) -> bool:
    if turn.pid == os.getpid():
        return (turn.upload, turn.began) in _held
    try:
        os.kill(turn.pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # another user's
        return True
    return not _is_zombie(turn.pid)


def _is_zombie(pid: int) -> bool:
    """Whether a process has ended, and nobody has asked how: for a moment after each kill. False where there is no /proc."""
    try:
        told = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return False
    return told.rpartition(b") ")[2][:1] == b"Z"


@contextmanager
def _locked(path: Path) -> Iterator[int | None]:
    """The file, while no other process has it; None where it can't be used."""
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        log.warning("the order of uploads is not shared: %s", error)
        yield None
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file
    finally:
        os.close(file)


def _read(file: int | None, path: Path) -> str:
    if file is None:
        return _own.get(str(path), "")
    return os.pread(file, _MOST, 0).decode("utf-8", "replace")


def _write(file: int | None, path: Path, text: str) -> None:
    _own.clear()
    _own[str(path)] = text
    if file is None:
        return
    data = text.encode()
    try:
        os.pwrite(file, data, 0)
        os.ftruncate(file, len(data))
    except OSError as error:  # the disk is full: uploads learn of it by themselves
        log.warning("the order of uploads was not written: %s", error)
