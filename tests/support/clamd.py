"""ClamAV for tests: the real daemon with a home-made base, where it is installed, and a fake that answers what a test says."""

from __future__ import annotations

import shutil
import socket
import struct
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.support.waiting import eventually

INSTALLED = shutil.which("clamd") or shutil.which("clamd", path="/usr/sbin")
# the harmless text that every scanner reports (eicar.org), in two parts: nobody should report this file
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANT" + rb"IVIRUS-TEST-FILE!$H+H*"
STREAM_MB, FILE_MB = 2, 1  # what the real one takes, and what it looks at


@contextmanager
def real() -> Iterator[str]:
    """The path of the socket of a daemon that knows one signature. Ready in a tenth of a second."""
    assert INSTALLED
    with tempfile.TemporaryDirectory(prefix="clamd") as name:  # short: paths of sockets have 107 bytes
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "test.ndb").write_text(f"Test.Eicar:0:*:{EICAR.hex()}\n")
        where = folder / "socket"
        lines = {
            "LocalSocket": where, "DatabaseDirectory": folder, "Foreground": "yes", "StreamMaxLength": f"{STREAM_MB}M",
            "MaxFileSize": f"{FILE_MB}M", "MaxScanSize": f"{FILE_MB}M", "AlertExceedsMax": "yes", "AlertEncrypted": "yes",
        }  # fmt: skip
        (folder / "clamd.conf").write_text("".join(f"{key} {value}\n" for key, value in lines.items()))
        process = subprocess.Popen([INSTALLED, "-c", folder / "clamd.conf"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            eventually(lambda: where.exists() or process.poll() is not None, seconds=20)
            yield str(where)
        finally:
            process.terminate()
            process.wait(10)


class Fake:
    """Takes what comes by INSTREAM, and says what it is told to; `received` is what came."""

    def __init__(self, folder: Path, answer: bytes = b"stream: OK\0", *, most: int = 1 << 30, silent: bool = False) -> None:
        self.answer, self.most, self.silent, self.received = answer, most, silent, b""
        self.listener = socket.socket(socket.AF_UNIX)
        self.where = str(folder / "s")
        self.listener.bind(self.where)
        self.listener.listen(5)
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self.listener.close()

    def _serve(self) -> None:
        while True:
            try:
                line, _address = self.listener.accept()
            except OSError:
                return
            with line, suppress(OSError):  # the other side may have gone
                self._talk(line)

    def _talk(self, line: socket.socket) -> None:
        read = line.makefile("rb").read
        command = bytearray()
        while not command.endswith(b"\0"):
            command += read(1)
        while command == b"zINSTREAM\0" and len(self.received) < self.most:
            head = read(4)
            length = struct.unpack("!I", head)[0] if len(head) == 4 else 0
            if not length:
                break
            self.received += read(length)
        if self.silent:
            read(1)  # until the other side has enough
        elif self.answer:
            line.sendall(self.answer)


@contextmanager
def fake(folder: Path, answer: bytes = b"stream: OK\0", **how: int) -> Iterator[Fake]:
    made = Fake(folder, answer, **how)  # type: ignore[arg-type]
    try:
        yield made
    finally:
        made.close()
