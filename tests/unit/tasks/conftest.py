"""A database with two people and a runner that works in the test's own thread."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from webmail.config import settings as config
from webmail.database.connection import db, open_database
from webmail.database.migrate import migrate
from webmail.models import User


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[config.Settings]:
    found = config.load(tmp_path)
    open_database(found.database_url)
    migrate()
    with db.connection_context():
        yield found
    db.obj.close()


@pytest.fixture
def alice(settings: config.Settings) -> User:
    return User.create(address="alice@lycee.example", local="alice", domain="lycee.example")


@pytest.fixture
def bob(settings: config.Settings) -> User:
    return User.create(address="bob@lycee.example", local="bob", domain="lycee.example")


@pytest.fixture
def runner(settings: config.Settings):
    """`runner(kind, ...)`: a TaskRunner for these kinds, whose threads are not started."""
    from webmail.tasks.runner import TaskRunner

    def make(*kinds, worker="w1", **more):
        return TaskRunner(kinds, settings, worker, **{"lease": timedelta(seconds=30), **more})

    return make
