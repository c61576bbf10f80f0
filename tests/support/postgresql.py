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
_ROOM = 2 * 1024**3  # bytes: a database is 12 MB


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
    folder = Path(tempfile.mkdtemp(prefix="traboule-pg-", dir=_place()))
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


def _place() -> str:
    """In memory where there is room for it: on a disk each database costs ten times that, since ext4 looks past all files that
    went a moment ago for each that it makes."""
    memory = Path("/dev/shm")
    return str(memory) if memory.is_dir() and shutil.disk_usage(memory).free > _ROOM else "/tmp"


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
    """The address of a new database with all tables, and nothing in them; dropped at the end."""
    with _database(_template()) as url:
        yield url


@contextlib.contextmanager
def database_without_tables() -> Iterator[str]:
    """The address of a new, empty database; dropped at the end."""
    with _database("template1") as url:
        yield url


@contextlib.contextmanager
def _database(like: str) -> Iterator[str]:
    name = f"t{secrets.token_hex(8)}"
    _tell(f"CREATE DATABASE {name} TEMPLATE {like}")
    try:
        yield _address(name)
    finally:
        _tell(f"DROP DATABASE {name} WITH (FORCE)")


@cache
def _template() -> str:
    """The name of a database with all tables: to copy it takes a twentieth of the time of making them."""
    from webmail.database.connection import db, open_database
    from webmail.database.migrate import migrate

    name, before = f"t{secrets.token_hex(8)}", db.obj
    _tell(f"CREATE DATABASE {name}")
    atexit.register(_tell, f"DROP DATABASE {name} WITH (FORCE)")
    opened = open_database(_address(name))
    migrate()
    opened.close()
    if before is not None:
        db.initialize(before)
    return name


def _address(name: str) -> str:
    return urlunsplit(urlsplit(server_url())._replace(path=f"/{name}"))


def _tell(sql: str) -> None:
    import psycopg

    with psycopg.connect(server_url(), autocommit=True) as connection:
        connection.execute(sql)  # type: ignore[call-overload]
