"""An application with calendars, one of its people, and somebody from outside."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from tests.support import calendar_ground as ground
from tests.support.appointment_ground import MAIL
from tests.support.visits import Visitor


@pytest.fixture
def app(tmp_path) -> Iterator[Flask]:
    with ground.application(tmp_path / "instance", language="en", **MAIL) as made:
        yield made


@pytest.fixture
def alice(app: Flask) -> Visitor:
    return ground.person(app)


@pytest.fixture
def bob(app: Flask) -> Visitor:
    return ground.person(app, "bob")


@pytest.fixture
def outsider(app: Flask) -> Visitor:
    return Visitor(app, "eve@elsewhere.example", "", "en")
