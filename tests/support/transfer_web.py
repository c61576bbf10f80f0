"""A web process by itself, as administrators run it, for large files: people who sign in here, and no mail servers behind it."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from deploy.demo.child import HOST, Child, free_ports, start
from deploy.demo.services import BIN, CHECKOUT
from tests.support import auth_app
from webmail import create_app
from webmail.config import settings as config
from webmail.config.settings import Settings
from webmail.database.connection import db


class TransferWeb:
    """The process on an instance of its own; it can be killed, and started again at the same address."""

    def __init__(self, folder: Path, *people: str, threads: int = 16, **settings: Any) -> None:
        self.folder, self.threads = folder, threads
        self.port = free_ports(1)[0]
        self.address = f"http://{HOST}:{self.port}"
        given = {
            "sign_in": "accounts", "domain": "lycee.example", "secure_cookies": False, "timezone": "Europe/Paris",
            "imap_security": "none", "imap_port": 1, "smtp_port": 1, **settings,
        }  # fmt: skip
        folder.mkdir(parents=True, exist_ok=True)
        tables = {name: value for name, value in given.items() if isinstance(value, dict)}
        lines = [_line(name, value) for name, value in given.items() if name not in tables]
        for table, values in tables.items():
            lines += [f"[{table}]", *(_line(name, value) for name, value in values.items())]
        (folder / "config.toml").write_text("\n".join(lines) + "\n")
        before = db.obj  # integration tests have one open for the whole run
        create_app(folder)
        with db.connection_context():
            for local in people:
                auth_app.add(f"{local}@lycee.example")
        db.obj.close()
        if before is not None:
            db.initialize(before)
        self._child: Child | None = None

    @property
    def settings(self) -> Settings:
        return config.load(self.folder)

    @property
    def pid(self) -> int:
        """Of the process that answers, whose memory is of interest."""
        assert self._child is not None
        parent = self._child.process.pid
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        return max(map(int, children), key=_memory)

    def memory(self) -> int:
        """Megabytes that it uses."""
        return _memory(self.pid)

    def start(self) -> None:
        options = f"--interface wsgi --host {HOST} --port {self.port} --workers 1 --blocking-threads {self.threads} --no-ws"
        environment = {
            **os.environ, "WEBMAIL_INSTANCE": str(self.folder), "PYTHONUNBUFFERED": "1",
            "MALLOC_MMAP_THRESHOLD_": "524288", "MALLOC_TRIM_THRESHOLD_": "524288", "MALLOC_ARENA_MAX": "2",
        }  # fmt: skip
        guarded = ["/usr/bin/setpriv", "--pdeathsig", "TERM", "--", str(BIN / "granian"), *options.split(), "wsgi:app"]
        self._child = start("transfers", guarded, self.folder / "web.log", self.port, environment, CHECKOUT)
        self._child.wait_for(_is_up, 60)

    def kill(self) -> None:
        """End it at once, whatever it does."""
        assert self._child is not None
        os.killpg(self._child.process.pid, signal.SIGKILL)
        self._child.process.wait()

    def stop(self) -> None:
        if self._child is not None:
            self._child.stop()


@contextmanager
def transfer_web(folder: Path, *people: str, **settings: Any) -> Iterator[TransferWeb]:
    """It runs, and is stopped at the end. `settings` as in config.toml, tables as dictionaries."""
    web = TransferWeb(folder, *people, **settings)
    web.start()
    try:
        yield web
    finally:
        web.stop()


def _line(name: str, value: object) -> str:
    return f"{name} = {str(value).lower() if isinstance(value, (bool, int)) else repr(value)}"


def _memory(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) // 1024


def _is_up(port: int) -> bool:
    with urlopen(f"http://{HOST}:{port}/healthz", timeout=5) as answer:
        return bool(answer.status == 200)
