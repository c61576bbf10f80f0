"""A database of its own for each test; in it, where a test wants them, the people of the demo."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.demo.accounts import PEOPLE
from webmail.config.settings import Settings, load
from webmail.database.connection import db, open_database
from webmail.database.migrate import migrate
from webmail.models import User


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Of an instance that keeps 1 MB of remote images."""
    made = load(tmp_path, image_cache_mb=1, imap_security="none")
    open_database(made.database_url)
    migrate()
    return made


@pytest.fixture
def alice(tmp_path: Path) -> Iterator[User]:
    open_database(f"sqlite:///{tmp_path / 'x.sqlite'}")
    migrate()
    with db.connection_context():
        for person in PEOPLE:
            local, _, domain = person.address.partition("@")
            User.create(address=person.address, local=local, domain=domain, name=person.name, role=person.role)
        yield User.get(User.address == "alice@lycee.example")
