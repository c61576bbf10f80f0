"""A PostgreSQL server for tests: rootless, on a Unix socket, started when first asked for, ended with the tests' process.

TRABOULE_TEST_POSTGRESQL can name another server (postgresql://user@host/postgres) whose user may create databases.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

from deploy.demo.place import mail_owner

_FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "listen_addresses=", "max_connections=200")


def programs() -> Path | None:
    """The folder of initdb and postgres: the newest that is installed, or None."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda file: int(file.parts[-3]))
    return found[-1].parent if found else None


@cache
def server_url() -> str:
    """The address of the server's database `postgres`; "" where there is no PostgreSQL."""
    assert os.environ.get("TRABOULE_TEST_DATABASE") != "none", (
        "make unit starts no server: mark the test with pytest.mark.postgresql"
    )
    if given := os.environ.get("TRABOULE_TEST_POSTGRESQL"):
        return given
    where = programs()
    return _start(where) if where else ""


def _start(where: Path) -> str:
    owner = mail_owner()  # PostgreSQL refuses to run as root
    folder = Path(tempfile.mkdtemp(prefix="traboule-pg-", dir="/tmp"))
    owner.own(folder)
    folder.chmod(0o755)
    data = folder / "data"
    subprocess.run(
        [*owner.prefix, where / "initdb", "-D", data, "-U", "traboule", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"],
        check=True, capture_output=True, cwd="/",
    )  # fmt: skip
    options = [word for setting in (*_FAST, f"unix_socket_directories={folder}") for word in ("-c", setting)]
    with open(folder / "log", "wb") as log:
        server = subprocess.Popen([*owner.prefix, where / "postgres", "-D", data, *options], stdout=log, stderr=log, cwd="/")
    atexit.register(_stop, server, folder)
    url = f"postgresql://traboule@/postgres?host={quote(str(folder), safe='')}"
    _wait(url, server, folder)
    return url


def _wait(url: str, server: subprocess.Popen[bytes], folder: Path) -> None:
    import psycopg

    from tests.support.waiting import eventually

    def answers() -> bool:
        assert server.poll() is None, (folder / "log").read_text()
        try:
            psycopg.connect(url).close()
        except psycopg.OperationalError:
            return False
        return True

    eventually(answers, 60)


def _stop(server: subprocess.Popen[bytes], folder: Path) -> None:
    server.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        server.wait(10)
    server.kill()
    shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def fresh_database() -> Iterator[str]:
    """The address of a new, empty database; dropped at the end."""
    import psycopg

    name = f"t{secrets.token_hex(8)}"
    with psycopg.connect(server_url(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")  # type: ignore[call-overload]
    try:
        yield urlunsplit(urlsplit(server_url())._replace(path=f"/{name}"))
    finally:
        with psycopg.connect(server_url(), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")  # type: ignore[call-overload]
