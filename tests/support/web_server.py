"""A web server on this machine that answers as a test wants."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.support import tcp_server


@contextmanager
def web(answer: Callable[[bytes], Any], tls: ssl.SSLContext | None = None) -> Iterator[tuple[int, list[bytes]]]:
    """A server on 127.0.0.1: (its port, the requests it got). `answer` gives bytes, or pieces that are sent one by one."""
    asked: list[bytes] = []

    def talk(peer: socket.socket) -> None:
        try:
            peer.settimeout(5)
            if tls:
                peer = tls.wrap_socket(peer, server_side=True)
            got = b""
            while b"\r\n\r\n" not in got:
                piece = peer.recv(65536)
                if not piece:
                    return
                got += piece
            length = re.search(rb"Content-Length: (\d+)", got)
            while length and len(got.partition(b"\r\n\r\n")[2]) < int(length[1]):
                if not (piece := peer.recv(65536)):
                    return  # hung up in the middle of what it sends
                got += piece
            asked.append(got)
            said = answer(got)
            for piece in [said] if isinstance(said, bytes) else said:
                peer.sendall(piece)
        except OSError:
            pass  # the client hung up, as it should
        finally:
            peer.close()

    with tcp_server.talking(talk) as port:
        yield port, asked


def ok(content: bytes, *headers: str, kind: str = "image/png") -> bytes:
    lines = ["HTTP/1.1 200 OK", f"Content-Type: {kind}", f"Content-Length: {len(content)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content
