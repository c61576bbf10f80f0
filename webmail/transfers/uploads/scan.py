"""Scanning of files by ClamAV: its daemon `clamd` gets them over a socket (INSTREAM, see clamd(8)) and says what it found.

What it did not look at is never called clean: a file over its limits, an archive with a password, a daemon that is away or slow.
"""

from __future__ import annotations

import logging
import socket
import struct
import time
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from webmail.config.settings import Settings
from webmail.transfers.limits import MB

log = logging.getLogger(__name__)

SECONDS = 600.0  # for one file, all in all
_CONNECT = 3.0
_CHUNK = 256 * 1024  # bytes in one go; each has its length before it
_LONGEST = 4096  # bytes of an answer


class ScanVerdict(StrEnum):
    """`StoredContent.scan`."""

    CLEAN = "clean"
    INFECTED = "infected"
    SKIPPED = "skipped"  # not scanned


class Unscanned(StrEnum):
    """Why a file was not scanned: `StoredContent.finding` where `scan` is SKIPPED."""

    LARGE = "large"  # for the scanner, itself or what is packed in it
    LOCKED = "locked"  # an archive or document with a password
    SEALED = "sealed"  # encrypted before it came here
    AWAY = "away"  # nobody answers
    SLOW = "slow"  # or not in time
    FAULT = "fault"  # the scanner could not do it


@dataclass(frozen=True, slots=True)
class Scan:
    """What came of it; `finding` names what was found, or is an `Unscanned`."""

    verdict: ScanVerdict
    finding: str = ""

    @property
    def may_come_yet(self) -> bool:
        """Whether another try may help."""
        return self.verdict is ScanVerdict.SKIPPED and self.finding in (Unscanned.AWAY, Unscanned.SLOW)


def scan(chunks: Iterable[bytes], size: int, settings: Settings, seconds: float = SECONDS) -> Scan:
    """Let clamd look at `size` bytes; what is too large or nobody listens for is not read. Raises what `chunks` raises."""
    if size > settings.transfers.scan_mb * MB:
        return Scan(ScanVerdict.SKIPPED, Unscanned.LARGE)
    end = time.monotonic() + seconds
    try:
        with _connect(settings.transfers.clamd) as line:
            return _read(_send(line, chunks, end))
    except TimeoutError:
        return Scan(ScanVerdict.SKIPPED, Unscanned.SLOW)
    except _LineBrokenError as error:
        log.warning("clamd at %s: %s", settings.transfers.clamd, error)
        return Scan(ScanVerdict.SKIPPED, Unscanned.AWAY)


class _LineBrokenError(Exception):
    """The socket could not be opened, or broke without an answer. A fault of the storage is another thing, hence this."""


def _connect(where: str) -> socket.socket:
    """A socket to clamd at a path or HOST:PORT. Raises _LineBroken."""
    try:
        if not where.startswith("/"):
            host, _colon, port = where.rpartition(":")
            return socket.create_connection((host.strip("[]"), int(port)), timeout=_CONNECT)
        line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    except OSError as error:
        raise _LineBrokenError(str(error)) from error
    try:
        line.settimeout(_CONNECT)
        line.connect(where)
    except OSError as error:
        line.close()
        raise _LineBrokenError(str(error)) from error
    return line


def _send(line: socket.socket, chunks: Iterable[bytes], end: float) -> bytes:
    """Everything, then its answer. One that comes early breaks our writing: what it says counts. Raises TimeoutError."""
    broken = _write(line, b"zINSTREAM\0", end)
    for chunk in chunks:
        view = memoryview(chunk)
        for at in range(0, len(view), _CHUNK):
            part = view[at : at + _CHUNK]
            broken = broken or _write(line, struct.pack("!I", len(part)), end) or _write(line, part, end)
        if broken:
            break
    broken = broken or _write(line, struct.pack("!I", 0), end)
    answer = _answer(line, end)
    if not answer:
        raise _LineBrokenError(str(broken or "it closed the connection without a word"))
    return answer


def _write(line: socket.socket, data: bytes | memoryview, end: float) -> OSError | None:
    """The error where the other side has closed. Raises TimeoutError."""
    line.settimeout(_left(end))
    try:
        line.sendall(data)
    except TimeoutError:
        raise
    except OSError as error:
        return error
    return None


def _answer(line: socket.socket, end: float) -> bytes:
    """What it says until it closes; b"" where the line is broken. Raises TimeoutError."""
    said = b""
    while b"\0" not in said and len(said) < _LONGEST:
        line.settimeout(_left(end))
        try:
            more = line.recv(_LONGEST)
        except TimeoutError:
            raise
        except OSError:
            break
        if not more:
            break
        said += more
    return said


def _left(end: float) -> float:
    left = end - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _read(answer: bytes) -> Scan:
    words = answer.partition(b"\0")[0].decode("utf-8", "replace").strip().removeprefix("stream: ")
    if words == "OK":
        return Scan(ScanVerdict.CLEAN)
    if words.endswith(" FOUND"):
        name = words.removesuffix(" FOUND")
        if name.startswith("Heuristics.Limits.Exceeded"):
            return Scan(ScanVerdict.SKIPPED, Unscanned.LARGE)
        if name.startswith("Heuristics.Encrypted"):
            return Scan(ScanVerdict.SKIPPED, Unscanned.LOCKED)
        return Scan(ScanVerdict.INFECTED, name[:200])
    if "size limit exceeded" in words:
        return Scan(ScanVerdict.SKIPPED, Unscanned.LARGE)
    log.warning("clamd answers: %s", words[:200])
    return Scan(ScanVerdict.SKIPPED, Unscanned.FAULT)


def ask(where: str, command: str, seconds: float = _CONNECT) -> str:
    """What clamd says to a word of its protocol, such as VERSION; "" where it says nothing."""
    end = time.monotonic() + seconds
    try:
        with _connect(where) as line:
            if _write(line, f"z{command}\0".encode(), end):
                return ""
            return _answer(line, end).partition(b"\0")[0].decode("utf-8", "replace").strip()
    except (TimeoutError, _LineBrokenError):
        return ""
