"""Google and Microsoft as fakes, and somebody who may connect both, on each of the databases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.fakes.google import FakeGoogle
from tests.support.fakes.microsoft import FakeMicrosoft
from webmail.config.settings import Settings, load
from webmail.models import User


@pytest.fixture
def google() -> Iterator[FakeGoogle]:
    with FakeGoogle().serving() as fake:
        yield fake


@pytest.fixture
def microsoft() -> Iterator[FakeMicrosoft]:
    with FakeMicrosoft().serving() as fake:
        yield fake


@pytest.fixture
def settings(tmp_path: Path, google: FakeGoogle, microsoft: FakeMicrosoft) -> Settings:
    return load(
        tmp_path / "instance", services="google, microsoft, nextcloud", public_url="https://mail.lycee.example",
        service_networks="127.0.0.0/8", **google.settings(), **microsoft.settings(),
    )  # fmt: skip


@pytest.fixture
def odile(module_database: str) -> Iterator[User]:
    user = User.create(address="odile@lycee.example", local="odile", domain="lycee.example")
    yield user
    User.delete().where(User.id == user.id).execute()
