"""Many people send large files at full speed while somebody reads mail: how much longer a page takes meanwhile.

`python -m tests.bench.transfers crowd [UPLOADS] [SECONDS]` (20, 20): as our script sends (pieces of 8 MiB with a SHA-256), and as other
programs do (one PATCH for all of it). Who is told to come back waits as long as the answer says. What came is seen in the folder of the
files. Clients and servers share this machine, so what the clients cost counts too. Fails where a page of mail takes more than twice its
time, or nothing came of an upload.
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import multiprocessing
import os
import random
import ssl
import statistics
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from deploy.demo import accounts
from deploy.demo.child import HOST
from deploy.demo.services import Services
from tests.bench import fill, machine
from tests.bench.webmails import Traboule
from webmail.models import TransferFile

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
    """What one client needs to know. `piece`: bytes of a PATCH; `heeds`: what 200 and 204 say of coming back, as our script does."""

    port: int
    path: str
    headers: dict[str, str]
    piece: int
    heeds: bool
    ca: str = ""  # of the certificate; "": without TLS

    def connection(self) -> http.client.HTTPConnection:
        if not self.ca:
            return http.client.HTTPConnection(HOST, self.port, timeout=60)
        return http.client.HTTPSConnection(HOST, self.port, timeout=60, context=ssl.create_default_context(cafile=self.ca))


@dataclass
class Arrival:
    """What came of an upload, as its folder shows it. `longest`: seconds without anything new, the beginning and the end included."""

    folder: Path
    size: int = 0
    longest: float = 0.0
    _names: frozenset[str] = frozenset()
    _since: float = field(default_factory=time.monotonic)

    def begin(self) -> None:
        self._since = time.monotonic()

    def look(self) -> None:
        names = frozenset(os.listdir(self.folder)) if self.folder.is_dir() else frozenset()
        now = time.monotonic()
        self.longest = max(self.longest, now - self._since)
        if names != self._names:
            self._names, self._since = names, now
            with suppress(FileNotFoundError):  # a short piece that was written anew meanwhile
                self.size = sum(self.folder.joinpath(name).stat().st_size for name in names)


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
        uploads = [Upload(services.ports.web, one.begin(SIZE), one.headers, piece, piece < SIZE) for one in people]
        arrivals = arrivals_of(services, uploads)
        with machine.growth([web]) as grown, sending(uploads, seconds) as answers, watching(arrivals):
            time.sleep(1)
            during = _times(reader, 10**6, seconds - 1)
        ratio = statistics.median(during) / statistics.median(before)
        print(
            f"{len(uploads)} uploads, {name}: a page of mail takes {ratio:.2f} times as long (median {statistics.median(before):.0f} and "
            f"{statistics.median(during):.0f} ms, 95% within {percentile(before):.0f} and {percentile(during):.0f} ms)"
        )
        tell(arrivals, seconds, answers)
        print(f"  the web process grew by {grown.peak / 1024:.0f} MiB at most", flush=True)
        good = good and ratio <= MOST and all(one.size for one in arrivals)
    return good


def tell(arrivals: list[Arrival], seconds: float, answers: Counter[str]) -> None:
    sizes, longest = sorted(one.size / MB for one in arrivals), sorted(one.longest for one in arrivals)
    print(
        f"  {sum(sizes) / seconds:.0f} MB/s together; {sizes[0]:.0f} MB of the slowest, {statistics.median(sizes):.0f} of half of them, "
        f"{sizes[-1]:.0f} of the fastest; nothing new for {longest[-1]:.1f} s at most, for half of them {statistics.median(longest):.1f} s; "
        f"answers {dict(answers)}"
    )


def arrivals_of(services: Services, uploads: list[Upload]) -> list[Arrival]:
    with accounts.tables(services.database):
        named = [TransferFile.get(TransferFile.upload == one.path.rpartition("/")[2]).content.name for one in uploads]
    return [Arrival(services.base / "web" / "transfers" / name) for name in named]


@contextmanager
def watching(arrivals: list[Arrival]) -> Iterator[None]:
    over = threading.Event()
    for one in arrivals:
        one.begin()

    def watch() -> None:
        while not over.wait(0.1):
            for one in arrivals:
                one.look()

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def percentile(values: list[float]) -> float:
    return sorted(values)[int(len(values) * 0.95)]


def _times(reader: Any, count: int, seconds: float = 60.0) -> list[float]:
    """What a page of mail takes, ms, again and again."""
    end, found = time.monotonic() + seconds, []
    while len(found) < count and time.monotonic() < end:
        found.append(reader.get("/mailbox/INBOX").ms)
        time.sleep(_PAUSE)
    return found


@contextmanager
def sending(uploads: list[Upload], seconds: float) -> Iterator[Counter[str]]:
    """All of them for so long, in a process of their own; what was answered is known when the block is over."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_send_all, args=(theirs, uploads, seconds), daemon=True)
    process.start()
    ours.recv()  # they have begun
    answers: Counter[str] = Counter()
    try:
        yield answers
        answers.update(ours.recv())
    finally:
        process.terminate()
        process.join()


def _send_all(told: Any, uploads: list[Upload], seconds: float) -> None:
    answers: list[str] = []
    end = time.monotonic() + seconds
    threads = [threading.Thread(target=_send, args=(one, answers, end), daemon=True) for one in uploads]
    for thread in threads:
        thread.start()
    told.send("begun")
    for thread in threads:
        thread.join(max(end + 1 - time.monotonic(), 0))
    told.send(Counter(list(answers)))


def _send(upload: Upload, answers: list[str], end: float) -> None:
    block = random.randbytes(PIECE)
    checksum = "sha256 " + base64.b64encode(hashlib.sha256(block).digest()).decode()
    while time.monotonic() < end:
        connection = upload.connection()
        try:
            _send_some(connection, upload, block, checksum, answers, end)
        except (OSError, http.client.HTTPException) as error:
            answers.append(type(error).__name__)
            time.sleep(1)
        finally:
            connection.close()


def _send_some(
    connection: http.client.HTTPConnection, upload: Upload, block: bytes, checksum: str, answers: list[str], end: float
) -> None:
    """Until it is told to come back, and has waited for as long."""
    connection.request("HEAD", upload.path, headers=upload.headers)
    answer = connection.getresponse()
    answer.read()
    offset = int(answer.headers["Upload-Offset"])
    while time.monotonic() < end and offset < SIZE:
        if upload.heeds and "Retry-After" in answer.headers:
            answers.append(f"{answer.status} and wait")
            break
        length = min(upload.piece, SIZE - offset)
        more = {"Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
        if length == PIECE:
            more["Upload-Checksum"] = checksum
        with suppress(BrokenPipeError, ConnectionResetError):  # answered before all was read: what it says counts
            headers = {**upload.headers, **more, "Content-Length": str(length)}
            connection.request("PATCH", upload.path, _body(block, length, end), headers)
        answer = connection.getresponse()
        answer.read()
        if answer.status != 204:
            answers.append(str(answer.status))
            break
        answers.append("204")
        offset += length
    time.sleep(max(0.0, min(float(answer.headers.get("Retry-After", "0")), end - time.monotonic())))


def _body(block: bytes, length: int, end: float) -> Iterator[bytes]:
    """The bytes of a PATCH; it breaks off once time is over."""
    for at in range(0, length, MB):
        if time.monotonic() > end:
            raise OSError("time is over")
        yield block[at % PIECE :][:MB]
