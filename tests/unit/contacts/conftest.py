"""A database with two people, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from webmail.database.connection import db, open_database
from webmail.database.migrate import migrate
from webmail.models import User


@pytest.fixture
def alice(tmp_path: Path) -> Iterator[User]:
    open_database(f"sqlite:///{tmp_path / 'x.sqlite'}")
    migrate()
    with db.connection_context():
        yield person("alice")
    db.obj.close()


@pytest.fixture
def bob(alice: User) -> User:
    return person("bob")


def person(local: str) -> User:
    return User.create(address=f"{local}@lycee.example", local=local, domain="lycee.example", name=local.capitalize())
