"""A Nextcloud and a plain WebDAV server on this machine, and somebody who has connected them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.nextcloud import LOGIN, PASSWORD, Nextcloud
from tests.unit.conftest import opened_database
from webmail.config.settings import Settings, load
from webmail.drives import open_drives
from webmail.drives.drive import Drive
from webmail.models import ConnectedService, User
from webmail.services import connections, providers


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load(tmp_path / "instance", services="nextcloud", service_networks="127.0.0.0/8")


@pytest.fixture
def new_database(tmp_path: Path) -> Iterator[str]:
    """On SQLite alone: what is tried here is between us and other servers."""
    yield from opened_database("sqlite", tmp_path)


@pytest.fixture
def yann(new_database: str) -> User:
    return User.create(address="yann@lycee.example", local="yann", domain="lycee.example")


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Nextcloud]:
    with Nextcloud(tmp_path / "cloud").serve() as server:
        yield server


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[Nextcloud]:
    with Nextcloud(tmp_path / "plain", own=False).serve() as server:
        yield server


def connected(server: Nextcloud, user: User, settings: Settings, abilities: str = "") -> ConnectedService:
    provider = providers.find("nextcloud", settings)
    assert provider is not None
    secret = {"password": PASSWORD}
    return connections.make(user, provider, login=LOGIN, secret=secret, settings=settings, address=server.root, scopes=abilities)[
        0
    ]


@pytest.fixture
def drive(cloud: Nextcloud, yann: User, settings: Settings) -> Drive:
    return open_drives.open_drive(connected(cloud, yann, settings), settings)


@pytest.fixture
def plain_drive(plain: Nextcloud, yann: User, settings: Settings) -> Drive:
    return open_drives.open_drive(connected(plain, yann, settings), settings)
