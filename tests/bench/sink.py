"""A submission server that takes every message and keeps none: what is measured ends where the message leaves."""

from __future__ import annotations

import socketserver
import threading
import time
from types import TracebackType

from deploy.demo.child import HOST

_OFFERS = b"250-sink\r\n250-SIZE 0\r\n250-8BITMIME\r\n250 AUTH PLAIN XOAUTH2\r\n"


class Sink(socketserver.ThreadingTCPServer):
    """Listens on a free port of loopback while the `with` block runs. `taken`: (time.perf_counter(), bytes) of each message."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__((HOST, 0), _Talk)
        self.port: int = self.server_address[1]  # type: ignore[assignment]
        self.taken: list[tuple[float, int]] = []
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def __enter__(self) -> Sink:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.shutdown()
        self.server_close()

    def wait(self, count: int, seconds: float = 60) -> tuple[float, int]:
        """The `count`-th message, once it is here. Raises RuntimeError when it does not come."""
        end = time.monotonic() + seconds
        while len(self.taken) < count:
            if time.monotonic() > end:
                raise RuntimeError(f"message {count} did not reach the submission server in {seconds:.0f} s")
            time.sleep(0.002)
        return self.taken[count - 1]


class _Talk(socketserver.StreamRequestHandler):
    server: Sink
    disable_nagle_algorithm = True

    def handle(self) -> None:
        self._say(b"220 sink ESMTP\r\n")
        while line := self.rfile.readline():
            match line.split()[0].upper() if line.split() else b"":
                case b"EHLO" | b"HELO":
                    self._say(_OFFERS)
                case b"AUTH":
                    if len(line.split()) == 2:
                        self._say(b"334 \r\n")
                        self.rfile.readline()
                    self._say(b"235 2.7.0 welcome\r\n")
                case b"DATA":
                    self._say(b"354 go on\r\n")
                    self._take()
                case b"QUIT":
                    self._say(b"221 bye\r\n")
                    return
                case _:
                    self._say(b"250 2.0.0 OK\r\n")

    def _take(self) -> None:
        size = 0
        while (line := self.rfile.readline()) != b".\r\n":
            if not line:
                return
            size += len(line)
        self._say(b"250 2.0.0 taken\r\n")
        self.server.taken.append((time.perf_counter(), size))

    def _say(self, words: bytes) -> None:
        self.wfile.write(words)
