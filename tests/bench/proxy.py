"""A relay between a webmail and its IMAP server that keeps what both said, so that it can be counted and said again."""

from __future__ import annotations

import select
import socket
import threading
import time
from dataclasses import dataclass, field

from deploy.demo.child import HOST

_QUIET_SECONDS = 0.3


@dataclass
class Exchange:
    """One round trip: what the client sent before it waited, and all that came back until it spoke again."""

    connection: int
    sent: bytes = b""
    received: bytes = b""

    @property
    def signs_in(self) -> bool:
        """The greeting, or what is said before a mailbox is reached."""
        return (
            not self.sent
            or any(word in self.sent for word in (b" AUTHENTICATE ", b" LOGIN ", b" CAPABILITY"))
            or (
                self.sent.count(b" ") == 0  # the continuation of an AUTHENTICATE
            )
        )


@dataclass
class Recorder:
    """Listens on a free port of loopback while the `with` block runs and passes everything on to `server`."""

    server: int
    exchanges: list[Exchange] = field(default_factory=list)

    def __enter__(self) -> Recorder:
        self._listener = socket.create_server((HOST, 0))
        self.port: int = self._listener.getsockname()[1]
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()
        return self

    def __exit__(self, *_details: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join(2)
        self._listener.close()

    def since(self, mark: int) -> list[Exchange]:
        """What was said after `len(exchanges)` was `mark`."""
        return self.exchanges[mark:]

    def quiet(self) -> int:
        """Wait until nothing is said any more, such as counts after the answer; how many exchanges there were."""
        count = -1
        while count != (now := len(self.exchanges)):
            count = now
            time.sleep(_QUIET_SECONDS)
        return count

    def of_pages(self, mark: int) -> list[Exchange]:
        """What was said after it, without the connections that were opened later than the first one: folders are counted over
        those, and no page waits for it."""
        said = self.since(mark)
        opened = {exchange.connection for exchange in said} - {exchange.connection for exchange in self.exchanges[:mark]}
        beside = opened - {said[0].connection} if said else opened
        return [exchange for exchange in said if exchange.connection not in beside]

    def before(self, mark: int, connection: int) -> list[Exchange]:
        """What had been said earlier on one connection."""
        return [exchange for exchange in self.exchanges[:mark] if exchange.connection == connection]

    def _accept(self) -> None:
        while not self._ended.is_set():
            if select.select([self._listener], [], [], 0.2)[0]:
                client, _address = self._listener.accept()
                number = len(self._threads)
                thread = threading.Thread(target=self._relay, args=(client, number), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _relay(self, client: socket.socket, number: int) -> None:
        with client, socket.create_connection((HOST, self.server)) as server:
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            current = Exchange(number)
            self.exchanges.append(current)
            while not self._ended.is_set():
                for ready in select.select([client, server], [], [], 0.2)[0]:
                    data = ready.recv(1 << 18)
                    if not data:
                        return
                    if ready is server:
                        current.received += data
                        client.sendall(data)
                        continue
                    if current.received:
                        current = Exchange(number)
                        self.exchanges.append(current)
                    current.sent += data
                    server.sendall(data)
