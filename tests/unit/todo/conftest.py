"""The ground of what is to be done: an application on each of the databases, and somebody signed in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest
from flask import Flask

from tests.support import calendar_ground as ground
from tests.support.postgresql import fresh_database, server_url
from tests.support.visits import Visitor


@pytest.fixture(params=["sqlite", "postgresql"])
def app(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Flask]:
    if request.param == "postgresql" and not server_url():
        pytest.skip("no PostgreSQL here")
    database = fresh_database() if request.param == "postgresql" else nullcontext("")
    with database as url, ground.application(tmp_path / "instance", **({"database_url": url} if url else {})) as made:
        yield made


@pytest.fixture
def alice(app: Flask) -> Visitor:
    return ground.person(app)
