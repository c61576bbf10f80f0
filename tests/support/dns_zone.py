"""A DNS server of a test's own on 127.0.0.1, whose zone changes while it runs: `zone["far.example", "TXT"] = ["v=spf1 -all"]`."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from types import TracebackType

import dns.name
import dns.rdata
import dns.resolver

_TYPES = {1: "A", 12: "PTR", 15: "MX", 16: "TXT", 28: "AAAA", 33: "SRV", 52: "TLSA", 257: "CAA"}
_PROVED = 0x20  # the bit by which a resolver says so (AD)
_NO_ERROR, _SERVER_FAILURE, _NO_SUCH_NAME = 0, 2, 3


class Zone(dict[tuple[str, str], list[str]]):
    """Answers from itself over UDP; a name it does not know does not exist. `mode`: "ok", "fail" (SERVFAIL) or "silent"."""

    def __init__(self) -> None:
        super().__init__()
        self.mode = "ok"
        self.signed = False  # whether it says that answers are proved (DNSSEC)
        self.asked: list[str] = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._socket.getsockname()[1]}"

    def resolver(self) -> dns.resolver.Resolver:
        """One that asks this server alone."""
        made = dns.resolver.Resolver(configure=False)
        made.nameservers, made.port = ["127.0.0.1"], self._socket.getsockname()[1]
        return made

    def __enter__(self) -> Zone:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                question, peer = self._socket.recvfrom(4096)
            except OSError:  # closed
                return
            # what is no question, or can't be answered just now, gets no answer: all that come later do
            with contextlib.suppress(OSError, IndexError, struct.error, UnicodeDecodeError):
                if self.mode != "silent":
                    self._socket.sendto(self._answer(question), peer)

    def _answer(self, packet: bytes) -> bytes:
        labels, at = [], 12
        while size := packet[at]:
            labels.append(packet[at + 1 : at + 1 + size].decode())
            at += size + 1
        kind, _class = struct.unpack("!HH", packet[at + 1 : at + 5])
        name = ".".join(labels).lower()
        self.asked.append(name)
        records = self.get((name, _TYPES.get(kind, "")), [])
        known = any(one == name for one, _kind in list(self))  # a test may add to it just now, which would end this thread
        code = _SERVER_FAILURE if self.mode == "fail" else _NO_ERROR if known else _NO_SUCH_NAME
        records = records if code == _NO_ERROR else []
        head = packet[:2] + struct.pack("!HHHHH", 0x8580 | code | (_PROVED if self.signed else 0), 1, len(records), 0, 0)
        answers = b"".join(
            b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 0, len(data)) + data for data in (_data(kind, one) for one in records)
        )
        return head + packet[12 : at + 5] + answers


def _data(kind: int, value: str) -> bytes:
    if _TYPES[kind] == "TXT":
        pieces = [value.encode()[at : at + 255] for at in range(0, len(value.encode()), 255)]
        return b"".join(bytes([len(piece)]) + piece for piece in pieces)
    return bytes(dns.rdata.from_text("IN", _TYPES[kind], value, origin=dns.name.root, relativize=False).to_wire() or b"")
