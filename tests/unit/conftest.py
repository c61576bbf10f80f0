"""An instance of its own for each test: a real SQLite file, a real uploads folder, a real SMTP server that does as told."""

from __future__ import annotations

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What a parameter sends to PostgreSQL is marked so: `make unit` starts no server, `make unit-postgresql` does."""
    for item in items:
        callspec = getattr(item, "callspec", None)
        if callspec and any(isinstance(value, str) and value == "postgresql" for value in callspec.params.values()):
            item.add_marker("postgresql")


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
