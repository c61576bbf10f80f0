"""Uploads by the server that runs in production: constant memory, slow clients, a process that is killed, another's tus client."""

from __future__ import annotations

import hashlib
import io
import os
import select
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from tusclient.client import TusClient

from tests.support.auth_app import PASSWORD
from tests.support.http_visits import HttpVisitor
from tests.support.transfer_web import TransferWeb, transfer_web
from webmail.database.connection import db, open_database
from webmail.models import StoredContent, Transfer, TransferFile
from webmail.transfers import content

MB = 1024 * 1024
HEADERS = {"Tus-Resumable": "1.0.0"}
TURNS = 4
TUS_CLIENT = Path(__file__).parents[3] / ".venv/tus"


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TransferWeb]:
    folder = tmp_path_factory.mktemp("transfers")
    limits = {"reserve_mb": 0, "uploads_at_once": TURNS}
    with transfer_web(folder / "instance", "alice", "bob", "carl", "dora", "emil", transfers=limits) as running:
        yield running


class Sender:
    """Somebody who is signed in, with the token and cookie of their session for other programs."""

    def __init__(self, web: TransferWeb, local: str = "alice") -> None:
        self.visitor = HttpVisitor(web.address, "", f"{local}@lycee.example", PASSWORD)
        page = self.visitor.get("/login")
        self.visitor.submit(page, "form[action='/login']", follow=False, username=self.visitor.address, password=PASSWORD)
        page = self.visitor.get("/transfers/new")
        self.action = str(page.one("#transfer")["action"])
        self.token = str(page.one("#transfer [name=csrf_token]")["value"])
        self.cookie = "; ".join(f"{name}={value}" for name, value in self.visitor.http.cookies.items())
        self.headers = {**HEADERS, "Cookie": self.cookie, "X-CSRFToken": self.token}

    def create(self, size: int) -> str:
        answer = self.visitor.http.post("/transfers/uploads", headers={**self.headers, "Upload-Length": str(size)})
        assert answer.status_code == 201, answer.text
        return str(answer.headers["Location"])

    def head(self, url: str) -> httpx.Response:
        return self.visitor.http.head(url, headers=self.headers)

    def open_body(self, method: str, url: str, length: int, **headers: str) -> socket.socket:
        """A connection on which the head of a request was sent, and none of its body."""
        at = urlsplit(str(self.visitor.http.base_url))
        lines = {"Host": at.netloc, "Content-Length": str(length), **self.headers, **headers}
        found = socket.create_connection((at.hostname or "", at.port or 80), timeout=20)
        found.sendall(
            "".join([f"{method} {url} HTTP/1.1\r\n", *(f"{name}: {value}\r\n" for name, value in lines.items()), "\r\n"]).encode()
        )
        return found

    def open_patch(self, url: str, length: int, offset: int = 0) -> socket.socket:
        more = {"Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
        return self.open_body("PATCH", url, length, **more)


def stored(web: TransferWeb, url: str) -> tuple[str, str]:
    """State and SHA-256 of an upload, as they are kept, and as its bytes have it."""
    settings = web.settings
    open_database(settings.database_url)
    with db.connection_context():
        file = TransferFile.get(TransferFile.upload == url.rpartition("/")[2])
        found = hashlib.sha256()
        for part in content.read(file.content, settings):
            found.update(part)
        kept = (file.content.state, file.content.sha256)
    db.obj.close()
    assert kept[1] == found.hexdigest()
    return kept


def test_another_program_uploads_with_checksums_and_goes_on_where_it_stopped(web):
    alice, data = Sender(web), os.urandom(10 * MB)
    client = TusClient(f"{web.address}/transfers/uploads", headers={"Cookie": alice.cookie, "X-CSRFToken": alice.token})
    first = client.uploader(
        file_stream=io.BytesIO(data), chunk_size=4 * MB, metadata={"filename": "été.bin"}, upload_checksum=True
    )  # fmt: skip
    first.upload_chunk()
    again = client.uploader(file_stream=io.BytesIO(data), url=first.url, chunk_size=8 * MB, upload_checksum=True)
    assert again.offset == 4 * MB
    again.upload()
    assert stored(web, first.url) == ("ready", hashlib.sha256(data).hexdigest())


def test_a_form_goes_to_the_storage_in_constant_memory(web, monkeypatch):
    size, piece = 96 * MB, os.urandom(MB)
    bob = Sender(web, "bob")
    head = b'--b0\r\nContent-Disposition: form-data; name="files"; filename="film.mp4"\r\n\r\n'
    tail = b'\r\n--b0\r\nContent-Disposition: form-data; name="action"\r\n\r\nsave\r\n--b0--\r\n'
    temporary = set(os.listdir(tempfile.gettempdir()))
    before = web.memory()
    with bob.open_body(
        "POST", bob.action, len(head) + size + len(tail), **{"Content-Type": "multipart/form-data; boundary=b0"}
    ) as line:  # fmt: skip
        line.sendall(head)
        most = 0
        for number in range(size // MB):
            line.sendall(piece)
            if number % 16 == 0:
                most = max(most, web.memory())
        line.sendall(tail)
        assert b" 303 " in line.recv(4096).split(b"\r\n")[0]
    assert most - before < 48, f"{before} MB before, {most} MB meanwhile"
    assert not {name for name in set(os.listdir(tempfile.gettempdir())) - temporary if name.startswith(("werkzeug", "tmp"))}
    open_database(web.settings.database_url)
    with db.connection_context():
        file = TransferFile.select().join(Transfer).order_by(TransferFile.id.desc()).get()
        kept = (file.path, file.size, file.content.sha256)
    db.obj.close()
    assert kept == ("film.mp4", size, hashlib.sha256(piece * (size // MB)).hexdigest())


def test_a_process_that_is_killed_loses_little_and_the_rest_follows(web):
    alice, data = Sender(web), os.urandom(20 * MB)
    url = alice.create(len(data))
    line = alice.open_patch(url, len(data))
    line.sendall(data[: 17 * MB])
    web.kill()
    line.close()
    web.start()
    at = int(alice.head(url).headers["Upload-Offset"])
    assert at < 17 * MB
    with alice.open_patch(url, len(data) - at, at) as line:
        line.sendall(data[at:])
        assert b" 204 " in line.recv(4096).split(b"\r\n")[0]
    assert stored(web, url) == ("ready", hashlib.sha256(data).hexdigest())


def test_a_line_that_breaks_keeps_what_came(web):
    alice = Sender(web)
    url = alice.create(10 * MB)
    line = alice.open_patch(url, 10 * MB)
    line.sendall(bytes(5 * MB + 77))
    line.close()
    until(lambda: alice.head(url).headers["Upload-Offset"] == str(5 * MB + 77))


def test_slow_clients_hold_few_threads_and_pages_go_on(web):
    people = [Sender(web, name) for name in ("bob", "carl", "dora", "emil")]
    more = {"Upload-Length": str(5 * MB), "Content-Type": "application/offset+octet-stream"}
    with ExitStack() as lines:
        held: list[Any] = []
        for number in range(50):
            sender = people[number % len(people)]
            line = lines.enter_context(sender.open_body("POST", "/transfers/uploads", 5 * MB, **more))
            line.sendall(b"x")
            held.append(line)
        answers: dict[Any, bytes] = {}
        until(lambda: len(answered(held, answers)) == 50 - TURNS)
        assert all(b" 201 " in answer for answer in answers.values()), answers  # the file is there, without a byte
        began = time.monotonic()
        for _visit in range(5):
            assert people[0].visitor.get("/settings/reading").status == 200
        assert time.monotonic() - began < 10  # none of them waited for a thread
    until(lambda: free(people[0]))


def answered(lines: list[socket.socket], before: dict[Any, bytes]) -> dict[Any, bytes]:
    """With the first lines of those that were answered meanwhile."""
    readable, _writable, _errors = select.select([line for line in lines if line not in before], [], [], 0)
    before |= {line: line.recv(4096).split(b"\r\n")[0] for line in readable}
    return before


def free(sender: Sender) -> bool:
    """Whether a turn is free again."""
    url = sender.create(1)
    return "Retry-After" not in sender.head(url).headers


def until(done: Any) -> None:
    end = time.monotonic() + 15
    while not done():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.05)


def test_ten_gigabytes_that_were_declared_take_no_room(web):
    alice = Sender(web)
    url = alice.create(10 * 1024 * MB)
    with alice.open_patch(url, 10 * 1024 * MB) as line:
        line.sendall(b"x")
    until(lambda: alice.head(url).headers["Upload-Offset"] == "1")
    assert alice.visitor.http.delete(url, headers=alice.headers).status_code == 204
    open_database(web.settings.database_url)
    with db.connection_context():
        assert not StoredContent.select().where(StoredContent.size == 10 * 1024 * MB).exists()
    db.obj.close()


def test_the_instance_holds_nothing_in_the_clear(web):
    alice, mark = Sender(web), b"traboule-in-the-clear" * 20_000
    url = alice.create(len(mark))
    alice.visitor.http.patch(
        url, content=mark, headers={**alice.headers, "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    )  # fmt: skip
    files = [path for path in Path(web.folder).rglob("*") if path.is_file()]
    assert files and not [path for path in files if b"traboule-in-the-clear" in path.read_bytes()]


@pytest.mark.skipif(
    not (TUS_CLIENT / "node_modules/tus-js-client").is_dir() or not shutil.which("node"),
    reason="tus-js-client is not installed: `deploy/prepare.sh test` does it where there is npm",
)
def test_the_client_of_the_protocols_authors_uploads_goes_on_and_gives_up(web, tmp_path):
    alice, path = Sender(web), tmp_path / "film"
    path.write_bytes(os.urandom(10 * MB + 5))
    program = Path(__file__).parents[2] / "support" / "tus_client.mjs"
    command = [
        "node",
        str(program),
        str(TUS_CLIENT),
        f"{web.address}/transfers/uploads",
        str(path),
        alice.cookie,
        alice.token,
    ]
    told = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert told.returncode == 0, told.stderr
    url, gone = told.stdout.split()
    assert stored(web, url) == ("ready", hashlib.sha256(path.read_bytes()).hexdigest())
    assert alice.head(gone).status_code == 404
