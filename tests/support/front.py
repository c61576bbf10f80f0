"""nginx with deploy/nginx.conf in front of several web processes, and several workers: Traboule as administrators run it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from urllib.request import urlopen

from deploy.demo.child import HOST, Child, free_ports, start
from deploy.demo.services import BIN, CHECKOUT, Services
from tests.support.http_visits import HttpVisitor
from tests.support.servers import certificate

# what /etc/nginx/nginx.conf of Debian says around a site, with files below {folder}
_AROUND = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
worker_processes 2;
events {{ worker_connections 768; }}
http {{
    sendfile on;
    tcp_nopush on;
    types_hash_max_size 2048;
    server_tokens off;
    include /etc/nginx/mime.types;
    default_type application/octet-stream;
    ssl_protocols TLSv1.2 TLSv1.3;
    access_log {folder}/access.log;
    gzip on;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/site.conf;
}}
"""


def nginx() -> str | None:
    """The program, or None where it is not installed."""
    return shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


class Front:
    """nginx, `webs` web services of `processes` each, and `workers` workers on the mail servers of `services`; a context manager.

    `settings` are settings of Traboule by their names. `webs` and `workers` are the running programs, which tests may kill.
    """

    def __init__(
        self, services: Services, webs: int = 2, workers: int = 2, processes: int = 1, threads: int = 16, **settings: object
    ) -> None:
        self.services = services
        self.folder = services.base / "nginx"
        self.plain, self.port, *self._web_ports = free_ports(2 + webs)
        self._settings = {"secure_cookies": "true", "proxies": 1, "public_url": self.address, **settings}
        self._count = workers
        self._processes, self._threads = processes, threads
        self.webs: list[Child] = []
        self.workers: list[Child] = []
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
            self.workers = [self.start_worker() for _ in range(self._count)]
            self._start_nginx()
            for web in self.webs:
                web.wait_for(is_up, 60)
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stop()

    def _stop(self) -> None:
        for child in (self._nginx, *self.workers, *self.webs):
            if child:
                child.stop()

    def start_web(self, port: int) -> Child:
        options = (
            f"--interface wsgi --host {HOST} --port {port} --workers {self._processes} --blocking-threads {self._threads} "
            "--workers-kill-timeout 15 --no-ws"
        )
        return self._start(f"web-{port}", [BIN / "granian", *options.split(), "wsgi:app"], port)

    def start_worker(self) -> Child:
        return self._start(f"jobs-{len(self.workers)}", [BIN / "flask", "--app", "wsgi", "jobs"])

    def _start(self, name: str, command: list[str | Path], port: int = 0) -> Child:
        given = {f"WEBMAIL_{key.upper()}": str(value) for key, value in self._settings.items()}
        environment = {**os.environ, **self.services.settings(), **given, "PYTHONUNBUFFERED": "1"}
        guarded = ["/usr/bin/setpriv", "--pdeathsig", "TERM", "--", *map(str, command)]
        return start(name, guarded, self.folder / f"{name}.log", port, environment, CHECKOUT)

    def _start_nginx(self) -> None:
        (self.folder / "site.conf").write_text(site(self.plain, self.port, self._web_ports, Path(self.ca)), encoding="utf-8")
        (self.folder / "nginx.conf").write_text(_AROUND.format(folder=self.folder), encoding="utf-8")
        owner = self.services.owner
        owner.own(self.folder, *self.folder.iterdir())
        program = nginx()
        assert program
        # -e: where it complains until it has read its configuration
        command = [*owner.prefix, program, "-e", str(self.folder / "error.log"), "-c", str(self.folder / "nginx.conf")]
        self._nginx = start("nginx", command, self.folder / "nginx.log", self.port, cwd=Path("/"))
        self._nginx.wait_for(_is_open)


def site(plain: int, port: int, web_ports: list[int], certificate_file: Path) -> str:
    """deploy/nginx.conf with other names, ports and certificates, and a line for each web process."""
    text = (CHECKOUT / "deploy" / "nginx.conf").read_text(encoding="utf-8")
    [line] = re.findall(r"^ *server 127\.0\.0\.1:8000.*$", text, re.MULTILINE)
    text = text.replace(line, "\n".join(line.replace("8000", str(number)) for number in web_ports))
    text = text.replace("listen 80;", f"listen {HOST}:{plain};").replace("listen 443 ssl;", f"listen {HOST}:{port} ssl;")
    text = re.sub(r"^ *listen \[::\]:.*\n", "", text, flags=re.MULTILINE)  # machines without IPv6
    text = text.replace("server_name webmail.lycee.example", f"server_name {HOST}")
    folder = "/etc/letsencrypt/live/webmail.lycee.example"
    text = text.replace(f"{folder}/fullchain.pem", str(certificate_file))
    return text.replace(f"{folder}/privkey.pem", str(certificate_file.with_suffix(".key")))


@contextmanager
def frozen(child: Child) -> Iterator[None]:
    """A program and all that it started by SIGSTOP: it takes connections, and answers none."""
    os.killpg(child.process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.killpg(child.process.pid, signal.SIGCONT)


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
