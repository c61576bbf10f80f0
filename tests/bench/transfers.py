"""Large files up and down, beside nginx on the same disk: `python -m tests.bench.transfers [MB]`; in `make bench` with 512 MB.

Up: a PUT that nginx's WebDAV module writes, and the same bytes by tus in PATCHes of 64 MiB, hashed, encrypted and made durable. Down: a
GET that nginx serves by sendfile, and the same file decrypted. Both without TLS, the best of three. How much the memory of the web
process grew at most is told too. With FILESENDER_CHECKOUT (see filesender.py) the page to send files is weighed beside that of FileSender.

`python -m tests.bench.transfers large [GB]`: so much (10 GB) goes up and comes down, while the web process is killed five times each
way; fails if a byte is lost, if the SHA-256 is another, or if the memory grows with the size.

`python -m tests.bench.transfers crowd [UPLOADS] [SECONDS]`: pages of mail while twenty people send at full speed (transfer_crowd.py).
`... front [SECONDS]`: the same and downloads through nginx, and a class that sends its homework at once (transfer_front.py).
`... downloads [ROUNDS]`: pages of mail while six people download at full speed through nginx (transfer_downloads.py).
"""

from __future__ import annotations

import gzip
import hashlib
import http.client
import os
import random
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from deploy.demo.child import HOST, free_ports, start
from deploy.demo.services import Services
from tests.bench import filesender, machine, transfer_crowd, transfer_downloads, transfer_front
from tests.bench.table import OURS, Figure, Table
from tests.support.front import kill
from tests.support.http_visits import HttpVisitor
from tests.support.passing_folder import passing_folder
from tests.support.visits import Page
from tests.support.waiting import eventually

SECTION = "Large files, throughput of nginx in times of ours"
WEIGHTS = "Large files, what the page to send them weighs"
MB = 1024 * 1024
PATCH = 64 * MB
_IN_THE_MIDDLE = 0.7  # seconds after which the process is killed
_BLOCK = bytes(random.Random(7).randbytes(MB))
_NGINX = """{user}worker_processes 1;
error_log {base}/error.log;
pid {base}/nginx.pid;
events {{ worker_connections 64; }}
http {{
  access_log off;
  sendfile on;
  client_body_temp_path {base}/body;
  proxy_temp_path {base}/x1; fastcgi_temp_path {base}/x2; uwsgi_temp_path {base}/x3; scgi_temp_path {base}/x4;
  server {{
    listen 127.0.0.1:{port};
    client_max_body_size 0;
    root {base}/files;
    dav_methods PUT DELETE;
  }}
}}
"""


def block(number: int) -> bytes:
    """The MB of that number: no two are the same, and none needs to be kept."""
    return number.to_bytes(8, "big") + _BLOCK[8:]


def blocks(first: int, count: int) -> Iterator[bytes]:
    return (block(number) for number in range(first, first + count))


class Uploader:
    """Somebody who is signed in and sends a file by tus."""

    def __init__(self, services: Services, address: str) -> None:
        self.services = services
        self.transfers: dict[str, int] = {}
        self.visitor = HttpVisitor(services.address, "", address, services.password)
        self.visitor.submit(self.visitor.get("/login"), "form[action='/login']", username=address, password=services.password)
        page = self.visitor.get("/transfers/new")
        self.headers = {
            "Cookie": "; ".join(f"{name}={value}" for name, value in self.visitor.http.cookies.items()),
            "X-CSRFToken": str(page.all("[name=csrf_token]")[0]["value"]),
            "Tus-Resumable": "1.0.0",
        }

    def begin(self, size: int) -> str:
        """The path of a new upload."""
        told = {**self.headers, "Upload-Length": str(size), "Upload-Metadata": "filename YS5iaW4=", "Content-Length": "0"}
        answer = self._ask("POST", "/transfers/uploads", None, told)
        upload = urlsplit(answer.headers["Location"]).path
        self.transfers[upload] = int(answer.headers["X-Traboule-Transfer"])
        return upload

    def offset(self, upload: str) -> int:
        return int(self._ask("HEAD", upload, None, self.headers).headers["Upload-Offset"])

    def send(self, upload: str, offset: int, length: int, pace: float = 0.0) -> None:
        """One PATCH, of whole MB from `offset` on."""
        told = {**self.headers, "Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
        told["Content-Length"] = str(length)
        first, skip = divmod(offset, MB)

        def body() -> Iterator[bytes]:
            left, at = length, skip
            for one in blocks(first, length // MB + 2):
                part = one[at : at + left]
                at, left = 0, left - len(part)
                if part:
                    yield part
                if pace:
                    time.sleep(pace)

        self._ask("PATCH", upload, body(), told)

    def several(self, count: int, size: int) -> list[str]:
        return [self.begin(size) for _each in range(count)]

    def send_all(self, upload: str, size: int) -> None:
        for offset in range(0, size, PATCH):
            self.send(upload, offset, min(PATCH, size - offset))

    def go_on(self, upload: str, size: int, until: int) -> int:
        """Send what is missing up to about `until`, as after a lost line; the memory of the web process at most, in KiB."""
        offset, peak = self.offset(upload), 0
        while offset < until:
            self.send(upload, offset, min(PATCH, size - offset))
            offset = self.offset(upload)
            peak = max(peak, machine.highest(_web(self.services)))
        return peak

    def published(self, upload: str) -> str:
        """The path under which anybody with the link fetches the file."""
        number = self.transfers[upload]
        page = self.visitor.get(f"/transfers/new?of={number}")
        form = page.one("form[enctype]")
        answer = self.visitor.http.post(str(form["action"]), files={"action": (None, "link")}, follow_redirects=True)
        link = re.search(r'data-transfer-link[^>]*>([^<]+)|data-transfer-link="([^"]+)"', answer.text)
        assert link is not None, answer.text[:3000]
        place = urlsplit(link[1] or link[2]).path
        found = eventually(
            lambda: self.visitor.get(place).all("a[download]"), 600, step=1, what="the worker has checked the file"
        )
        return urlsplit(str(found[0]["href"])).path

    def _ask(self, method: str, path: str, body: Iterator[bytes] | None, headers: dict[str, str]) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection(HOST, self.services.ports.web, timeout=120)
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        answer.read()
        if answer.status >= 400:
            raise OSError(f"{method} {path}: {answer.status}")
        return answer


@contextmanager
def nginx(base: Path) -> Iterator[int]:
    """nginx that stores and serves files below `base`; its port."""
    (base / "files").mkdir(parents=True)
    port = free_ports(1)[0]
    user = "user root;\n" if os.geteuid() == 0 else ""  # which else works as nobody, who reaches no folder of mode 0700
    (base / "nginx.conf").write_text(_NGINX.format(base=base, port=port, user=user))
    command = ["/usr/sbin/nginx", "-c", str(base / "nginx.conf"), "-e", str(base / "error.log"), "-g", "daemon off;"]
    child = start("nginx", command, base / "nginx.out", port)
    try:
        child.wait_for(lambda port: bool(http.client.HTTPConnection(HOST, port, timeout=5).connect() or True))
        yield port
    finally:
        child.stop()


def put(port: int, path: str, size: int) -> None:
    connection = http.client.HTTPConnection(HOST, port, timeout=300)
    connection.request("PUT", path, blocks(0, size // MB), {"Content-Length": str(size)})
    answer = connection.getresponse()
    answer.read()
    assert answer.status in (201, 204), answer.status


def fetch(port: int, path: str) -> int:
    """How many bytes came."""
    connection = http.client.HTTPConnection(HOST, port, timeout=300)
    connection.request("GET", path)
    answer, count, buffer = connection.getresponse(), 0, memoryview(bytearray(MB))
    assert answer.status == 200, answer.status
    while came := answer.readinto(buffer):
        count += came
    return count


# --- what `make bench` measures ------------------------------------------------------------------------------------------


def measure(table: Table, services: Services, folder: Path, size: int = 512 * MB) -> None:
    """Throughput both ways, memory, weights."""
    someone = _somebody(services)
    with table.row(OURS, SECTION, "up and down"):
        _throughput(table, services, someone, folder, size)
    with table.row(OURS, WEIGHTS, "all that a browser fetches the first time"):
        _weigh(table, someone, folder)


def _throughput(table: Table, services: Services, someone: Uploader, folder: Path, size: int) -> None:
    web = [_web(services)]
    with nginx(folder / "nginx") as port, machine.growth(web) as grown:
        theirs = min(_seconds(lambda number=number: put(port, f"/{number}.bin", size)) for number in range(3))  # type: ignore[misc]
        before = machine.processor_ms(web)
        found = [(_seconds(lambda upload=upload: someone.send_all(upload, size)), upload) for upload in someone.several(3, size)]
        ours, upload = min(found)
        _row(table, "up", theirs, ours, size, machine.processor_ms(web) - before)
        place = someone.published(upload)
        theirs = min(_seconds(lambda: fetch(port, "/0.bin")) for _again in range(3))
        before = machine.processor_ms(web)
        ours = min(_seconds(lambda: fetch(services.ports.web, place)) for _again in range(3))
        _row(table, "down", theirs, ours, size, machine.processor_ms(web) - before)
    detail = f"{size // MB} MB, three times each way"
    table.add(OURS, SECTION, "most that the web process grew", Figure(grown.peak / 1024, detail), "MiB", 160)


def _row(table: Table, way: str, theirs: float, ours: float, size: int, spent: float) -> None:
    """`spent`: ms of processor time of the web process, three times."""
    speeds = f"{size / MB / theirs:.0f} / {size / MB / ours:.0f} MB/s; {spent / 3 / (size / MB):.1f} ms of processor time a MB"
    table.add(OURS, SECTION, way, Figure(ours / theirs, speeds))


def _weigh(table: Table, someone: Uploader, folder: Path) -> None:
    page = someone.visitor.get("/transfers/new")
    html = len(gzip.compress(page.response.get_data()))
    styles, scripts = (
        sum(len(gzip.compress(someone.visitor.http.get(one).content)) for one in found)
        for found in (
            _linked(page, "link[rel=stylesheet]", "href"),
            _linked(page, "script[src]", "src") + _linked(page, "[data-script]", "data-script"),
        )
    )
    ours = filesender.PageWeight(html, styles, scripts)
    table.add(OURS, WEIGHTS, "all that a browser fetches the first time", Figure(ours.all / 1024, _told(ours)), "KiB")
    with suppress(filesender.NotHere), filesender.running(folder / "filesender") as address:
        theirs = filesender.weight(address)
        figure = Figure(ours.all / theirs.all, f"FileSender: {_told(theirs)}")
        table.add(OURS, WEIGHTS, "the same, in times of FileSender's page", figure, most=1.0)


def _told(weight: filesender.PageWeight) -> str:
    return f"HTML {weight.html}, styles {weight.styles}, scripts {weight.scripts} bytes, by gzip"


def _linked(page: Page, selector: str, attribute: str) -> list[str]:
    return [name for one in page.all(selector) for name in str(one[attribute]).split()]


@contextmanager
def _demo() -> Iterator[Services]:
    with passing_folder() as folder, Services(folder / "demo") as services:
        yield services


def _somebody(services: Services) -> Uploader:
    services.add_account(address := f"fichiers{time.time_ns()}@lycee.example", "Fichiers", 10**8)
    return Uploader(services, address)


def _web(services: Services) -> int:
    return next(child for child in services.children if child.name == "web").process.pid


def _seconds(what: Callable[[], object]) -> float:
    began = time.monotonic()
    what()
    return time.monotonic() - began


# --- a very large file, and a web process that is killed ----------------------------------------------------------------


def large(size: int, kills: int = 5) -> bool:
    """Whether a file of this size came up and down whole, in memory that does not grow with it. Prints what it cost."""
    with _demo() as services:
        someone = _somebody(services)
        told = hashlib.sha256()
        for one in blocks(0, size // MB):
            told.update(one)
        upload = someone.several(1, size)[0]
        peak, began = 0, time.monotonic()
        for part in range(1, kills + 1):
            peak = max(peak, someone.go_on(upload, size, size * part // (kills + 1)))
            with _killing_web(services):
                someone.go_on(upload, size, size)
        peak = max(peak, someone.go_on(upload, size, size))
        up = time.monotonic() - began
        place, began = someone.published(upload), time.monotonic()
        fetched, digest = 0, hashlib.sha256()
        for part in range(1, kills + 2):
            peak = max(peak, machine.highest(_web(services)))
            with _killing_web(services) if part <= kills else nullcontext():
                for piece in _from(services, place, fetched):
                    digest.update(piece)
                    fetched += len(piece)
        peak = max(peak, machine.highest(_web(services)))
        down = time.monotonic() - began
        same = digest.hexdigest() == told.hexdigest() and fetched == size
        print(f"{size // MB} MB, killed {kills} times each way: up {size / MB / up:.0f} MB/s, down {size / MB / down:.0f} MB/s")
        print(f"SHA-256 {'equal' if same else 'NOT equal'}; the web process had at most {peak / 1024:.0f} MiB")
        return same and peak < 400 * 1024


def _from(services: Services, place: str, start: int) -> Iterator[bytes]:
    """What is from `start` on, as `curl -C -` asks for it."""
    connection = http.client.HTTPConnection(HOST, services.ports.web, timeout=300)
    connection.request("GET", place, headers={"Range": f"bytes={start}-"})
    answer = connection.getresponse()
    if answer.status != 206:
        raise OSError(f"GET {place}: {answer.status}")
    while piece := answer.read(MB):
        yield piece


@contextmanager
def _killing_web(services: Services) -> Iterator[None]:
    """Kill the web process in the middle of what the block asks of it, and start another; the block's line breaks then."""
    web = next(child for child in services.children if child.name == "web")
    timer = threading.Timer(_IN_THE_MIDDLE, lambda: kill(web))
    timer.start()
    try:
        with suppress(OSError, http.client.HTTPException):  # the line broke, as it should
            yield
    finally:
        timer.join()
        print("  killed", flush=True)
        services.children.remove(web)
        services.start_web()


def crowd(uploads: int = 20, seconds: int = 20) -> bool:
    """Whether pages of mail stay within twice their time while so many send. Prints what it cost."""
    with _demo() as services:
        return transfer_crowd.measure(services, [_somebody(services) for _each in range(uploads)], seconds)


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["large"]:
        return 0 if large(int(arguments[1] if arguments[1:] else 10) * 1024 * MB) else 1
    if arguments[:1] == ["crowd"]:
        return 0 if crowd(*map(int, arguments[1:3])) else 1
    if arguments[:1] == ["front"]:
        return 0 if transfer_front.run(*map(int, arguments[1:2])) else 1
    if arguments[:1] == ["downloads"]:
        return 0 if transfer_downloads.run(*map(int, arguments[1:2])) else 1
    table = Table(datetime.now().astimezone(), machine.describe())
    size = int(arguments[0]) * MB if arguments else 512 * MB
    with _demo() as services:
        measure(table, services, services.base.parent, size)
    for row in table.rows:
        for who, figure in row.figures.items():
            print(f"| {row.name} | {who} | {figure.value:.2f} {row.unit} | {figure.detail} |")
    return 1 if table.missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
