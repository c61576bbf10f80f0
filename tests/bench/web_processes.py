"""Web processes of their own, as in production, and somebody who meets another one with each request."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any

import httpx
from werkzeug.test import Client

from deploy.demo.child import HOST, free_ports
from deploy.demo.services import BIN, CHECKOUT
from tests.support.waiting import eventually

_OWN = {"transfer-encoding", "content-length", "content-encoding", "connection"}  # headers of one hop


class WebProcess:
    """A granian with one worker, while the `with` block runs."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = {**os.environ, **environment}
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> WebProcess:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.kill()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        (port,) = free_ports(1, ())
        options = f"--interface wsgi --host {HOST} --port {port} --workers 1 --blocking-threads 8 --no-ws wsgi:app"
        self.base = f"http://{HOST}:{port}"
        self._process = process = subprocess.Popen(
            [str(BIN / "granian"), *options.split()], env=self.environment, cwd=CHECKOUT, start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

        def answers() -> bool:
            assert process.poll() is None, "a web server ended by itself"
            try:
                return httpx.get(f"{self.base}/healthz").status_code == 200
            except httpx.TransportError:
                return False

        eventually(answers, 60)

    def kill(self) -> None:
        """SIGKILL it and its worker."""
        if self._process:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None


class InTurn:
    """In the place of an application: hands each request to the next of these processes (see `Visitor`)."""

    def __init__(self, processes: Iterable[WebProcess]) -> None:
        self.processes = list(processes)
        self._requests = 0
        self._lock = threading.Lock()

    def following(self) -> WebProcess:
        """The process that gets the next request."""
        return self.processes[self._requests % len(self.processes)]

    def test_client(self) -> Any:
        client = Client(self)
        client.environ_base = {}  # type: ignore[attr-defined]  # as that of Flask
        return client

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        with self._lock:
            process = self.following()
            self._requests += 1
        headers = {name[5:].replace("_", "-"): value for name, value in environ.items() if name.startswith("HTTP_")}
        headers |= {"Content-Type": environ["CONTENT_TYPE"]} if environ.get("CONTENT_TYPE") else {}
        query = f"?{environ['QUERY_STRING']}" if environ.get("QUERY_STRING") else ""
        try:
            answer = httpx.request(
                environ["REQUEST_METHOD"], process.base + environ["PATH_INFO"] + query, headers=headers, timeout=60,
                content=environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)),
            )  # fmt: skip
        except httpx.TransportError:  # as a proxy in front of a process that died
            start_response("502 Bad Gateway", [("Content-Type", "text/html")])
            return [b"<title>502</title>"]
        told = [(name, value) for name, value in answer.headers.multi_items() if name.lower() not in _OWN]
        start_response(f"{answer.status_code} {answer.reason_phrase}", [*told, ("Content-Length", str(len(answer.content)))])
        return [answer.content]
