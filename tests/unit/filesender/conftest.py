"""An application whose large files a FileSender sends: the fake, on loopback."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from tests.support import calendar_ground
from tests.support.fakes.filesender import FakeFileSender, fake_filesender
from tests.support.visits import Visitor


@pytest.fixture
def filesender() -> Iterator[FakeFileSender]:
    with fake_filesender() as fake:
        yield fake


@pytest.fixture
def app(tmp_path, filesender) -> Iterator[Flask]:
    given = {"url": filesender.address, "application": filesender.application, "secret": filesender.secret}
    with calendar_ground.application(
        tmp_path / "instance", filesender=given, services="filesender", transfers={"reserve_mb": 0},
        system_address="webmail@lycee.example", smtp_security="none", public_url="https://mail.lycee.example",
    ) as made:  # fmt: skip
        yield made


@pytest.fixture
def settings(app):
    return app.extensions["settings"]


@pytest.fixture
def alice(app) -> Visitor:
    return calendar_ground.person(app)
