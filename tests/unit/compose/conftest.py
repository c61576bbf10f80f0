"""An instance of its own for each test: a real SQLite file, a real uploads folder, a real SMTP server that does as told."""

from __future__ import annotations

import pytest

from tests.bench import faults
from tests.bench.fault_server import FaultServer
from webmail.database.connection import db


@pytest.fixture
def here(tmp_path, monkeypatch):
    """The instance; its SMTP server is `here.server`, which takes everything until `here.server.faults` says otherwise."""
    from webmail import smtp

    monkeypatch.setattr(smtp, "FINAL_ANSWER_SECONDS", 0.6)
    with FaultServer() as server:
        instance = faults.Instance(tmp_path / "instance", server.port)
        instance.server = server
        with db.connection_context():
            yield instance


@pytest.fixture
def settings(here):
    return here.settings


@pytest.fixture
def alice(here):
    return here.draft().user


@pytest.fixture
def bob(here):
    from webmail.models import User

    return User.create(address="bob@lycee.example", local="bob", domain="lycee.example", name="Bob")
