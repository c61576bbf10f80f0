"""The floor: the very bytes a webmail sent to the IMAP server, sent again over a bare socket, the answers read unparsed."""

from __future__ import annotations

import base64
import socket
import time
from collections.abc import Sequence
from types import TracebackType

from deploy.demo.child import HOST
from tests.bench.proxy import Exchange


class BareConnection:
    """A signed-in IMAP connection that understands nothing but the end of an answer."""

    def __init__(self, port: int, address: str, password: str = "", token: str = "") -> None:
        """Signs in with a password, or with a token (RFC 7628). Raises RuntimeError where that is refused."""
        self._socket = socket.create_connection((HOST, port), timeout=60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._until(b"*")
        if token:
            bearer = base64.b64encode(f"n,a={address},\1host={HOST}\1port={port}\1auth=Bearer {token}\1\1".encode()).decode()
            self._socket.sendall(f"in AUTHENTICATE OAUTHBEARER {bearer}\r\n".encode())
        else:
            self._socket.sendall(f'in LOGIN "{address}" "{password}"\r\n'.encode())
        if b"in OK" not in self._until(b"in"):
            raise RuntimeError(f"the mail server refuses {address}")

    @classmethod
    def timed_whole(cls, port: int, address: str, token: str, exchanges: Sequence[Exchange]) -> float:
        """Milliseconds for a connection from its beginning: dialling, signing in, these round trips."""
        start = time.perf_counter()
        with cls(port, address, token=token) as bare:
            for exchange in exchanges:
                bare.ask(exchange)
            return (time.perf_counter() - start) * 1000

    def __enter__(self) -> BareConnection:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._socket.close()

    def follow(self, exchanges: Sequence[Exchange]) -> None:
        """Bring the connection where the recorded one was after these (which mailbox is selected)."""
        for exchange in exchanges:
            if not exchange.signs_in:
                self.ask(exchange)

    def ask(self, exchange: Exchange) -> bytes:
        """One round trip. Raises RuntimeError where the server now refuses what it did when it was recorded."""
        tag = last_tag(exchange.received)
        self._socket.sendall(exchange.sent)
        answer = self._until(tag)
        if not _last_line(answer).startswith(tag + b" OK"):
            raise RuntimeError(f"not repeatable: {exchange.sent[:200]!r} -> {_last_line(answer)!r}")
        return answer

    def timed(self, exchanges: Sequence[Exchange]) -> float:
        """Milliseconds for these round trips, one after the other."""
        if any(exchange.signs_in for exchange in exchanges) or len({exchange.connection for exchange in exchanges}) > 1:
            raise ValueError("these are not the round trips of one kept connection")
        start = time.perf_counter()
        for exchange in exchanges:
            self.ask(exchange)
        return (time.perf_counter() - start) * 1000

    def _until(self, tag: bytes) -> bytes:
        """Read until a whole line that begins with this word is the last one."""
        found = bytearray()
        while not (found.endswith(b"\r\n") and _last_line(found).startswith(tag + b" ")):
            data = self._socket.recv(1 << 20)
            if not data:
                raise RuntimeError("the mail server hung up")
            found += data
        return bytes(found)


def last_tag(answer: bytes) -> bytes:
    """The word by which the answer's end is known: a command's tag (RFC 3501 section 2.2.1)."""
    return _last_line(answer).partition(b" ")[0]


def _last_line(answer: bytes | bytearray) -> bytes:
    start = answer.rfind(b"\r\n", 0, len(answer) - 2)
    return bytes(answer[start + 2 if start >= 0 else 0 :])
