"""nginx with deploy/nginx.conf in front of several web processes, and several workers: Traboule as administrators run it."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from urllib.request import urlopen

from deploy.demo import nginx
from deploy.demo.child import HOST, Child, free_ports, start
from deploy.demo.services import BIN, CHECKOUT, Services
from tests.support.http_visits import HttpVisitor
from tests.support.servers import certificate


class Front:
    """nginx, `webs` web services of `processes` each, one for bodies and streams, and `workers` workers on the mail servers of
    `services`; a context manager.

    `settings` are settings of Traboule by their names. `webs`, `bodies` and `workers` are the running programs, which tests may kill.
    """

    def __init__(
        self, services: Services, webs: int = 2, workers: int = 2, processes: int = 1, threads: int = 16, **settings: object
    ) -> None:
        self.services = services
        self.folder = services.base / "nginx"
        self.plain, self.port, self._bodies_port, *self._web_ports = free_ports(3 + webs)
        self._settings = {"secure_cookies": "true", "proxies": 1, "public_url": self.address, **settings}
        self._count = workers
        self._processes, self._threads = processes, threads
        self.webs: list[Child] = []
        self.workers: list[Child] = []
        self.bodies: Child | None = None
        self._nginx: Child | None = None

    @property
    def address(self) -> str:
        return f"https://{HOST}:{self.port}"

    def visitor(self, address: str = "", language: str = "en") -> HttpVisitor:
        """Somebody at the front's address; not signed in yet."""
        return HttpVisitor(self.address, self.ca, address, self.services.password, language)

    def __enter__(self) -> Front:
        self.folder.mkdir()
        _context, self.ca = certificate(self.folder, HOST)
        try:
            self.webs = [self.start_web(port) for port in self._web_ports]
            self.bodies = self.start_bodies()
            self.workers = [self.start_worker() for _ in range(self._count)]
            self._start_nginx()
            for web in (*self.webs, self.bodies):
                web.wait_for(is_up, 60)
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stop()

    def _stop(self) -> None:
        for child in (self._nginx, *self.workers, *self.webs, self.bodies):
            if child:
                child.stop()

    def start_web(self, port: int) -> Child:
        return self._start_service(f"web-{port}", port, self._processes, self._threads, service="pages")

    def start_bodies(self) -> Child:
        return self._start_service("bodies", self._bodies_port, 1, 96, service="bodies")

    def _start_service(self, name: str, port: int, processes: int, threads: int, service: str) -> Child:
        options = (
            f"--interface wsgi --host {HOST} --port {port} --workers {processes} --blocking-threads {threads} "
            "--workers-kill-timeout 15 --no-ws"
        )
        nice = ["nice", "-n", "10"] if service == "bodies" else []  # as in its unit
        told = {"service": service, "bodies_address": f"{HOST}:{self._bodies_port}"}
        return self._start(name, [*nice, BIN / "granian", *options.split(), "wsgi:app"], port, told)

    def start_worker(self) -> Child:
        return self._start(f"jobs-{len(self.workers)}", [BIN / "flask", "--app", "wsgi", "jobs"])

    def _start(self, name: str, command: list[str | Path], port: int = 0, told: dict[str, str] | None = None) -> Child:
        given = {f"WEBMAIL_{key.upper()}": str(value) for key, value in {**self._settings, **(told or {})}.items()}
        environment = {**os.environ, **self.services.settings(), **given, "PYTHONUNBUFFERED": "1"}
        guarded = ["/usr/bin/setpriv", "--pdeathsig", "TERM", "--", *map(str, command)]
        return start(name, guarded, self.folder / f"{name}.log", port, environment, CHECKOUT)

    def _start_nginx(self) -> None:
        site = nginx.site(self.port, self._web_ports, self._bodies_port, plain=self.plain, certificate=Path(self.ca))
        command, owner = nginx.command(self.folder, site), self.services.owner
        owner.own(self.folder, *self.folder.iterdir())
        self._nginx = start("nginx", [*owner.prefix, *command], self.folder / "nginx.log", self.port, cwd=Path("/"))
        self._nginx.wait_for(_is_open)


@contextmanager
def frozen(child: Child, database: Path | str) -> Iterator[None]:
    """A program and all that it started by SIGSTOP: it takes connections, and answers none. Not while it writes to SQLite, whose one
    writer would then be frozen for all.
    """
    os.killpg(child.process.pid, signal.SIGSTOP)
    try:
        while isinstance(database, Path) and _is_written(database):
            os.killpg(child.process.pid, signal.SIGCONT)
            time.sleep(0.1)
            os.killpg(child.process.pid, signal.SIGSTOP)
        yield
    finally:
        os.killpg(child.process.pid, signal.SIGCONT)


def _is_written(database: Path) -> bool:
    """Whether somebody has been writing to it for half a second."""
    with closing(sqlite3.connect(database, timeout=0.5, isolation_level=None)) as tables:
        try:
            tables.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return True
        tables.execute("ROLLBACK")
        return False


def kill(child: Child) -> None:
    """SIGKILL for a program and all that it started, and wait until nothing of it answers at its port."""
    with suppress(ProcessLookupError):
        os.killpg(child.process.pid, signal.SIGKILL)
    child.process.wait()
    with suppress(ConnectionError):
        while child.port and _is_open(child.port):
            time.sleep(0.05)


def _is_open(port: int) -> bool:
    socket.create_connection((HOST, port), timeout=5).close()
    return True


def is_up(port: int) -> bool:
    with urlopen(f"http://{HOST}:{port}/healthz", timeout=5) as answer:
        return bool(answer.status == 200)
