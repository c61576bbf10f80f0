"""Many people send large files at full speed while somebody reads mail: how much longer a page takes meanwhile.

`python -m tests.bench.transfers crowd [UPLOADS] [SECONDS]` (20, 15): as our script sends (pieces of 8 MiB with a SHA-256), and as other
programs do (one PATCH for all of it). Who is told to come back waits as long as the answer says. Clients and servers share this machine,
so what the clients cost counts too. Fails where a page of mail takes more than twice its time.
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import itertools
import multiprocessing
import random
import statistics
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

from deploy.demo.child import HOST
from deploy.demo.services import Services
from tests.bench import fill, machine
from tests.bench.webmails import Traboule

MB = 1024 * 1024
SIZE = 256 * MB  # of each upload: more than is sent
PIECE = 8 * MB  # as in static/js/transfers/upload.js
MOST = 2.0  # times what a page of mail takes while nobody sends anything
READER = f"lit{random.randrange(10**6)}@lycee.example"
_VISITS, _PAUSE = 60, 0.05


class Sender(Protocol):
    headers: dict[str, str]

    def begin(self, size: int) -> str: ...


@dataclass(frozen=True, slots=True)
class Upload:
    """What one client needs to know. `piece`: bytes of a PATCH."""

    port: int
    path: str
    headers: dict[str, str]
    piece: int


@dataclass
class Tally:
    """What came of an upload. `longest`: seconds between two pieces that were taken, or MB of one."""

    sent: int = 0
    longest: float = 0.0
    answers: Counter[str] = field(default_factory=Counter)


def measure(services: Services, people: list[Sender], seconds: float) -> bool:
    """Whether pages stay within their time. Prints a row for each way to send."""
    services.add_account(READER, "Lectrice", 10**9)
    local, _at, domain = READER.partition("@")
    fill.write(services.owner, services.base / "mail" / domain / local / "Maildir", READER, 300)
    web = next(child for child in services.children if child.name == "web").process.pid
    reader = Traboule(services.address, [web]).sign_in(READER, services.password)
    good = True
    for name, piece in (("pieces of 8 MiB with a checksum", PIECE), ("one PATCH each", SIZE)):
        _times(reader, _VISITS)
        before = _times(reader, _VISITS)
        uploads = [Upload(services.ports.web, one.begin(SIZE), one.headers, piece) for one in people]
        with machine.growth([web]) as grown, _sending(uploads, seconds) as tallies:
            time.sleep(1)
            during = _times(reader, 10**6, seconds - 2)
        ratio = statistics.median(during) / statistics.median(before)
        _tell(name, before, during, ratio, tallies, seconds)
        print(f"  the web process grew by {grown.peak / 1024:.0f} MiB at most")
        good = good and ratio <= MOST
    return good


def _tell(name: str, before: list[float], during: list[float], ratio: float, tallies: list[Tally], seconds: float) -> None:
    total = sum(one.sent for one in tallies) / MB / seconds
    answers = sum((one.answers for one in tallies), Counter[str]())
    least, longest = min(one.sent for one in tallies) // MB, max(one.longest for one in tallies)
    print(
        f"{len(tallies)} uploads, {name}: a page of mail takes {ratio:.2f} times as long (median {statistics.median(before):.0f} and "
        f"{statistics.median(during):.0f} ms, 95% within {_percentile(before):.0f} and {_percentile(during):.0f} ms)"
    )
    print(
        f"  {total:.0f} MB/s together, {least} MB for the slowest, {longest:.0f} s the longest pause; answers {dict(answers)}",
        flush=True,
    )


def _percentile(values: list[float]) -> float:
    return sorted(values)[int(len(values) * 0.95)]


def _times(reader: Any, count: int, seconds: float = 60.0) -> list[float]:
    """What a page of mail takes, ms, again and again."""
    end, found = time.monotonic() + seconds, []
    while len(found) < count and time.monotonic() < end:
        found.append(reader.get("/mailbox/INBOX").ms)
        time.sleep(_PAUSE)
    return found


@contextmanager
def _sending(uploads: list[Upload], seconds: float) -> Iterator[list[Tally]]:
    """All of them for so long, in a process of their own; what came of each is known when the block is over."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_send_all, args=(theirs, uploads, seconds), daemon=True)
    process.start()
    ours.recv()  # they have begun
    tallies: list[Tally] = []
    try:
        yield tallies
        tallies += ours.recv()
    finally:
        process.terminate()
        process.join()


def _send_all(told: Any, uploads: list[Upload], seconds: float) -> None:
    tallies = [Tally() for _each in uploads]
    end = time.monotonic() + seconds
    threads = [threading.Thread(target=_send, args=(*one, end), daemon=True) for one in zip(uploads, tallies, strict=True)]
    for thread in threads:
        thread.start()
    told.send("begun")
    for thread in threads:
        thread.join(max(end + 1 - time.monotonic(), 0))
    told.send(tallies)


def _send(upload: Upload, tally: Tally, end: float) -> None:
    block = random.randbytes(PIECE)
    checksum = "sha256 " + base64.b64encode(hashlib.sha256(block).digest()).decode()
    taken = time.monotonic()
    while time.monotonic() < end:
        connection = http.client.HTTPConnection(HOST, upload.port, timeout=60)
        try:
            connection.request("HEAD", upload.path, headers=upload.headers)
            answer = connection.getresponse()
            answer.read()
            offset = int(answer.headers["Upload-Offset"])
            tally.sent = max(tally.sent, offset)
            while time.monotonic() < end and offset < SIZE:
                length = min(upload.piece, SIZE - offset)
                more = {"Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
                if length == PIECE:
                    more["Upload-Checksum"] = checksum
                with suppress(BrokenPipeError, ConnectionResetError):  # answered before all was read: what it says counts
                    headers = {**upload.headers, **more, "Content-Length": str(length)}
                    connection.request("PATCH", upload.path, _body(block, length, tally, end), headers)
                answer = connection.getresponse()
                answer.read()
                tally.answers[str(answer.status)] += 1
                if answer.status != 204:
                    time.sleep(float(answer.headers.get("Retry-After", "1")))
                    break
                offset = tally.sent = offset + length
                tally.longest, taken = max(tally.longest, time.monotonic() - taken), time.monotonic()
        except (OSError, http.client.HTTPException) as error:
            tally.answers[type(error).__name__] += 1
            time.sleep(1)
        finally:
            connection.close()
    tally.longest = max(tally.longest, time.monotonic() - taken)


def _body(block: bytes, length: int, tally: Tally, end: float) -> Iterator[bytes]:
    """The bytes of a PATCH; it breaks off once time is over."""
    began = tally.sent
    for at in itertools.count(0, MB):
        if at >= length:
            return
        if time.monotonic() > end:
            raise OSError("time is over")
        yield block[at % PIECE :][:MB]
        if length > PIECE:
            tally.sent = began + at
