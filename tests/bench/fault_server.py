"""An SMTP server (RFC 5321) for tests, which does at each stage what it is told."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

_SMALL_BUFFER = 65_536  # bytes that the network holds for a server that stops reading in mid-content
STAGES = ("connect", "ehlo", "auth", "mail", "rcpt", "data", "content", "dot", "answer")


@dataclass
class Received:
    """A message that the server has taken, dots undone."""

    sender: str
    recipients: list[str]
    content: bytes


class FaultServer:
    """Listens on a free port of loopback while the `with` block runs.

    `faults` is a list of words, one for each connection, the last one repeating: "ok", or ACTION@STAGE with
    - a reply such as 450 or 550; the server then goes on (421 hangs up);
    - "hang": no answer for as long as the client waits;
    - "drop": hang up. At "content" this is in mid-message, at "dot" before the message is kept, at "answer" after it is;
    - "mix" (rcpt): every second recipient gets 550; "mix4": 450.
    `reached` is set when a "hang" begins, for those who want to kill the client there.
    """

    def __init__(
        self, *faults: str, extensions: tuple[str, ...] = ("AUTH PLAIN LOGIN", "8BITMIME", "SMTPUTF8", "SIZE 50000000")
    ) -> None:
        self.faults = list(faults) or ["ok"]
        self.extensions = extensions
        self.messages: list[Received] = []
        self.commands: list[str] = []
        self.connections = 0
        self.reached = threading.Event()
        self.tls: Callable[[socket.socket], socket.socket] | None = None  # for STARTTLS
        self._lock = threading.Lock()
        self._closing = threading.Event()
        outer = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                with contextlib.suppress(OSError, _HangUp):
                    _Conversation(outer, self.request).run()

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True

            def server_bind(self) -> None:
                if any("content" in fault for fault in faults):  # inherited by each connection, and no longer grows by itself
                    self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SMALL_BUFFER)
                super().server_bind()

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port: int = self._server.server_address[1]

    def __enter__(self) -> FaultServer:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()

    def next_fault(self) -> str:
        with self._lock:
            self.connections += 1
            return self.faults[min(self.connections, len(self.faults)) - 1]

    def copies(self, recipient: str) -> int:
        """How many times this recipient got something."""
        return sum(recipient in message.recipients for message in self.messages)


class _HangUp(Exception):
    pass


@dataclass
class _Conversation:
    server: FaultServer
    sock: socket.socket
    action: str = ""
    stage: str = ""
    sender: str = ""
    recipients: list[str] = field(default_factory=list)
    asked: int = 0

    def run(self) -> None:
        self.action, _, self.stage = self.server.next_fault().partition("@")
        self.reader = self.sock.makefile("rb")
        if not self.fails("connect"):
            self.say("220 faults.test ESMTP")
        while line := self.reader.readline(100_000):
            command = line.decode("utf-8", "replace").rstrip("\r\n")
            self.server.commands.append(command)
            self.answer(command)

    def answer(self, command: str) -> None:
        word = command.split(":")[0].split(" ")[0].upper()
        if word == "EHLO":
            if not self.fails("ehlo"):
                lines = ["faults.test", *self.server.extensions]
                self.say("\r\n".join(f"250{'-' if i < len(lines) - 1 else ' '}{line}" for i, line in enumerate(lines)))
        elif word == "STARTTLS" and self.server.tls:
            self.say("220 go ahead")
            self.sock = self.server.tls(self.sock)
            self.reader = self.sock.makefile("rb")
        elif word == "AUTH":
            self.auth(command)
        elif word == "MAIL":
            self.sender, self.recipients = command[10:].partition(">")[0].lstrip("<"), []
            if not self.fails("mail"):
                self.say("250 ok")
        elif word == "RCPT":
            self.rcpt(command[8:].partition(">")[0].lstrip("<"))
        elif word == "DATA":
            self.data()
        elif word == "QUIT":
            self.say("221 bye")
            raise _HangUp
        else:
            self.say("502 5.5.2 what?")

    def auth(self, command: str) -> None:
        if command.upper().startswith("AUTH LOGIN"):
            self.say("334 VXNlcm5hbWU6")
            self.server.commands.append(self.reader.readline().decode().strip())
            self.say("334 UGFzc3dvcmQ6")
            self.server.commands.append(self.reader.readline().decode().strip())
        elif len(command.split()) == 2:
            self.say("334 ")
            self.server.commands.append(self.reader.readline().decode().strip())
        if not self.fails("auth"):
            self.say("235 2.7.0 welcome")

    def rcpt(self, address: str) -> None:
        self.asked += 1
        if self.action in ("mix", "mix4") and self.asked % 2 == 0:
            self.say("550 5.1.1 no such user" if self.action == "mix" else "450 4.2.1 busy mailbox")
        elif not self.fails("rcpt"):
            self.recipients.append(address)
            self.say("250 ok")

    def data(self) -> None:
        if self.fails("data"):
            return
        self.say("354 go ahead")
        lines = []
        while (line := self.reader.readline(1_000_000)) != b".\r\n":
            if not line:
                raise _HangUp
            lines.append(line[1:] if line.startswith(b".") else line)
            if self.fails("content"):
                self.stage = "over"
        if self.stage == "over" or self.fails("dot"):
            return
        self.server.messages.append(Received(self.sender, list(self.recipients), b"".join(lines)))
        if not self.fails("answer"):
            self.say("250 2.0.0 queued")

    def fails(self, stage: str) -> bool:
        """Whether the stage was answered here, with a fault."""
        if self.stage != stage or self.action.startswith("mix"):
            return False
        if self.action == "drop":
            # an RST, so that the client sees it at once
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            self.reader.close()
            self.sock.close()
            raise _HangUp
        if self.action == "hang":
            self.server.reached.set()
            self.server._closing.wait(600)
            raise _HangUp
        if self.action.isdigit():
            self.say(f"{self.action} {self.action[0]}.0.0 as told")
            if self.action == "421" or stage == "connect":
                raise _HangUp
            return True
        return False

    def say(self, text: str) -> None:
        self.sock.sendall(text.encode() + b"\r\n")
