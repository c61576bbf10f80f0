"""A gateway for text messages: a real HTTP server that writes down what it is asked."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from webmail.config.providers import Sms


@dataclass
class SmsGateway:
    """What it was asked (method, path, headers, body), and what it answers."""

    port: int = 0
    asked: list[tuple[str, str, dict[str, str], str]] = field(default_factory=list)
    status: int = 200
    answer: bytes = b'{"status": "queued"}'
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def sms(self) -> Sms:
        return Sms(f"http://127.0.0.1:{self.port}/send")


@contextmanager
def sms_gateway(tls: ssl.SSLContext | None = None) -> Iterator[SmsGateway]:
    """One that runs meanwhile."""
    found = SmsGateway()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            found.asked.append((self.command, self.path, dict(self.headers), body))
            self.send_response(found.status)
            for name, value in found.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(found.answer)

        do_GET = do_PUT = do_POST

        def log_message(self, *_arguments: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        found.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield found
        server.shutdown()
