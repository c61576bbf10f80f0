"""An instance of its own for each test: a real SQLite file, a real uploads folder, a real SMTP server that does as told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What a parameter sends to PostgreSQL is marked so: `make unit` starts no server, `make unit-postgresql` does."""
    for item in items:
        callspec = getattr(item, "callspec", None)
        if callspec and any(isinstance(value, str) and value == "postgresql" for value in callspec.params.values()):
            item.add_marker("postgresql")


def opened_database(kind: str, folder: Path) -> Iterator[str]:
    from tests.support.postgresql import fresh_database, server_url
    from webmail.database.connection import db, open_database
    from webmail.database.migrate import migrate

    if kind == "postgresql" and not server_url():
        pytest.skip("no PostgreSQL server: TRABOULE_TEST_POSTGRESQL is not set")
    with ExitStack() as stack:
        url = stack.enter_context(fresh_database()) if kind == "postgresql" else f"sqlite:///{folder / 'x.sqlite'}"
        before = db.obj  # integration tests have one open for the whole run
        opened = open_database(url)
        with db.connection_context():
            migrate()
        yield url
        opened.close()
        if before is not None:
            db.initialize(before)


@pytest.fixture(params=["sqlite", "postgresql"])
def new_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database with tables and nothing in them, which is open: once on SQLite, once on PostgreSQL."""
    yield from opened_database(request.param, tmp_path)


@pytest.fixture(params=["sqlite", "postgresql"], scope="module")
def module_database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The same, one for all tests of a file, which clear what they count."""
    yield from opened_database(request.param, tmp_path_factory.mktemp("database"))


@pytest.fixture
def here(tmp_path, monkeypatch):
    """The instance; its SMTP server is `here.server`, which takes everything until `here.server.faults` says otherwise."""
    from tests.bench import faults
    from tests.bench.fault_server import FaultServer
    from webmail import smtp
    from webmail.database.connection import db

    monkeypatch.setattr(smtp, "FINAL_ANSWER_SECONDS", 0.6)
    with FaultServer() as server:
        instance = faults.Instance(tmp_path / "instance", server.port)
        instance.server = server
        with db.connection_context():
            yield instance
