"""Traboules of the benchmark's own beside the one that is measured: fresh processes, other servers, another database."""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

from deploy.demo.child import HOST, Child, free_ports, start
from deploy.demo.services import Services
from tests.bench.visitor import Visitor
from tests.bench.webmails import Traboule

CHECKOUT = Path(__file__).resolve().parents[2]
_BIN = Path(sys.executable).parent


@contextmanager
def traboule(
    services: Services,
    *,
    checkout: Path = CHECKOUT,
    told: Mapping[str, str] | None = None,
    processes: int = 1,
    threads: int = 16,
    **settings: str | int,
) -> Iterator[Traboule]:
    """One more web service on the same servers and accounts; `settings` by their names in config/settings.py.

    `checkout`: whose code; `told`: its environment, where that is not what this checkout's servers tell."""
    port = free_ports(1)[0]
    options = f"--interface wsgi --host {HOST} --port {port} --workers {processes} --blocking-threads {threads} --no-ws"
    child = _start("web", [str(_BIN / "granian"), *options.split(), "wsgi:app"], services, settings, port, checkout, told)
    try:
        child.wait_for(_is_up)
        yield Traboule(f"http://{HOST}:{port}", [child.process.pid])
    finally:
        child.stop()


@contextmanager
def worker(services: Services, **settings: str | int) -> Iterator[int]:
    """One more job worker; its process id."""
    child = _start("jobs", [str(_BIN / "flask"), "--app", "wsgi", "jobs"], services, settings)
    try:
        yield child.process.pid
    finally:
        child.stop()


def apart(services: Services, folder: Path) -> dict[str, str | int]:
    """Settings with a database, a queue and uploads of their own in `folder`: the accounts as they are now, nothing shared."""
    folder.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(services.database)) as ours, closing(sqlite3.connect(folder / "traboule.sqlite")) as copy:
        ours.backup(copy)
    return {
        "database_url": f"sqlite:///{folder}/traboule.sqlite", "jobs_file": str(folder / "jobs.sqlite"),
        "uploads_folder": str(folder / "uploads"),
    }  # fmt: skip


def _start(
    name: str,
    command: list[str],
    services: Services,
    settings: Mapping[str, str | int],
    port: int = 0,
    checkout: Path = CHECKOUT,
    told: Mapping[str, str] | None = None,
) -> Child:
    given = {f"WEBMAIL_{key.upper()}": str(value) for key, value in settings.items()}
    environment = {**os.environ, **(services.settings() if told is None else told), **given, "PYTHONPATH": str(checkout)}
    return start(f"{name}, apart", command, services.base / "log" / f"{name}-apart.log", port, environment, checkout)


def _is_up(port: int) -> bool:
    visitor = Visitor(HOST, port)
    try:
        return visitor.get("/healthz").status == 200
    finally:
        visitor.close()
