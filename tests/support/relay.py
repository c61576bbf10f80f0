"""A TCP relay whose faults a test switches while it runs: `relay.mode = "hang"`."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from types import TracebackType


class Relay:
    """Listens on 127.0.0.1 and passes bytes to `port`.

    Modes: "ok"; "refuse" (hang up at once); "hang" (accept, say nothing); "cut" (hang up at the next byte from the server);
    "garbage" (answer rubbish). `hang_up()` ends all open connections, as a server does that restarts.
    """

    def __init__(self, port: int, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls  # spoken with the client from the first byte
        self.mode = "ok"
        self.cut_after = 0  # bytes from the server, all connections together; 0: never
        self.accepted = 0
        self.heard = b""  # from all clients
        self._to = port
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Relay:
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._listener.close()
        self.hang_up()

    def hang_up(self) -> None:
        for one in self._open:
            _close(one)
        self._open.clear()

    def _listen(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.accepted += 1
            if self._tls:
                try:
                    client = self._tls.wrap_socket(client, server_side=True)
                except OSError:
                    continue  # the client does not trust us
            self._open.append(client)
            if self.mode == "refuse":
                _close(client)
                continue
            try:
                server = socket.create_connection(("127.0.0.1", self._to))
            except OSError:  # those who come later are listened to all the same
                _close(client)
                continue
            self._open.append(server)
            for source, target, answers in ((client, server, False), (server, client, True)):
                threading.Thread(target=self._pass_on, args=(source, target, answers), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket, answers: bool) -> None:
        try:
            while data := source.recv(65536):
                if not answers:
                    self.heard += data
                if answers and self.mode == "hang":
                    continue
                if answers and self.mode == "cut":
                    break
                if answers and self.cut_after:
                    self.cut_after = max(self.cut_after - len(data), 1)
                    if self.cut_after == 1:
                        break
                if answers and self.mode == "garbage":
                    data = b"\x00\xff rubbish {12\r\n" * 3
                target.sendall(data)
        except OSError:
            pass  # the other side hung up: so do we
        _close(source)
        _close(target)


def _close(one: socket.socket) -> None:
    with contextlib.suppress(OSError):  # it was closed already
        one.shutdown(socket.SHUT_RDWR)
    one.close()
