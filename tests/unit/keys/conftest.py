"""People and their keyrings, on each of the databases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from webmail.config.settings import Settings, load
from webmail.database.connection import db
from webmail.models import LimitUse, User


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load(tmp_path / "instance", public_url="https://mail.lycee.example")


@pytest.fixture
def odile(module_database: str) -> Iterator[User]:
    with db.connection_context():
        user = User.create(address="odile@lycee.example", local="odile", domain="lycee.example", name="Odile Marchand")
        yield user
        User.delete().where(User.id == user.id).execute()
        LimitUse.delete().execute()


@pytest.fixture
def paul(odile: User) -> Iterator[User]:
    user = User.create(address="paul@lycee.example", local="paul", domain="lycee.example", name="Paul Roche")
    yield user
    User.delete().where(User.id == user.id).execute()
