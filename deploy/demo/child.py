"""Child process: starts one program of the demo, waits until it responds, and stops it."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

HOST = "127.0.0.1"
PORTS = range(21_000, 32_000)  # below the ephemeral range: no outgoing connection takes one that was picked


class ServiceFailedError(Exception):
    """A program did not start, or ended on its own; the message is for the user and names the log."""


@dataclass(slots=True)
class Child:
    """A running program in its own process group, so that Ctrl-C does not reach it directly: we stop all in order."""

    name: str
    log: Path
    port: int
    process: subprocess.Popen[bytes]
    patience: float = 5  # seconds between SIGTERM and SIGKILL

    @property
    def ended(self) -> bool:
        return self.process.poll() is not None

    def failure(self) -> ServiceFailedError:
        code = self.process.poll()
        how = f"was killed by {signal.Signals(-code).name}" if code and code < 0 else f"ended with code {code}"
        return ServiceFailedError(f"{self.name} {how}. Its log: {self.log}\n{_tail(self.log)}")

    def wait_for(self, answers: Callable[[int], bool], seconds: float = 60) -> None:
        """Wait until the program responds on its port. Raises ServiceFailedError if it ends or does not respond in time."""
        end = time.monotonic() + seconds
        while True:
            if self.ended:
                raise self.failure()
            with suppress(OSError):
                if answers(self.port):
                    return
            if time.monotonic() > end:
                raise ServiceFailedError(
                    f"{self.name} does not answer on port {self.port} after {seconds:.0f} s. Its log: {self.log}"
                )
            time.sleep(0.02)

    def stop(self) -> None:
        """Terminate the program, then kill it and everything it started."""
        if not self.ended:
            self.process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(self.patience)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def start(
    name: str, command: list[str], log: Path, port: int = 0, environment: dict[str, str] | None = None, cwd: Path | None = None
) -> Child:
    output: IO[bytes]
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment, cwd=cwd, start_new_session=True
        )
    return Child(name, log, port, process)


def greets(prefix: bytes) -> Callable[[int], bool]:
    """A check whether the server on a port greets with these bytes."""

    def answers(port: int) -> bool:
        with socket.create_connection((HOST, port), timeout=5) as connection:
            return connection.recv(200).startswith(prefix)

    return answers


def listens(port: int) -> bool:
    """Whether a program takes connections on a port, for one that greets nobody. Raises OSError where none does."""
    socket.create_connection((HOST, port), timeout=5).close()
    return True


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def free_ports(count: int, taken: Iterable[int] = ()) -> list[int]:
    """Free ports of PORTS, which no other process that asks here gets before this one has asked for a hundred more."""
    found: list[int] = []
    refused = set(taken)
    while len(found) < count:
        port = random.choice(PORTS)  # noqa: S311 - no secret
        if port not in refused and is_free(port) and _is_marked_by_us(port):
            found.append(port)
    return found


_marks: deque[socket.socket] = deque(maxlen=100)


def _is_marked_by_us(port: int) -> bool:
    """Whether nobody picked it for a server that does not listen yet. The mark is a name without a file, and ends with us."""
    mark = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        mark.bind(f"\0traboule-port-{port}")
    except OSError:
        mark.close()
        return False
    _marks.append(mark)
    return True


def _tail(log: Path, lines: int = 12) -> str:
    text = log.read_text(errors="replace").splitlines() if log.exists() else []
    return "\n".join(f"    {line}" for line in text[-lines:])
