"""People, a database and an application of their own for each test of the auth area."""

from __future__ import annotations

import logging

import pytest

from tests.support.auth_app import Browser, add, build
from webmail.config import settings as config
from webmail.database.connection import open_database
from webmail.database.migrate import migrate


@pytest.fixture
def settings(tmp_path, database):
    """As on a server with TLS, with our own table of passwords."""
    return config.load(tmp_path / "instance", sign_in="accounts", domain="lycee.example", database_url=database)


@pytest.fixture
def database(tmp_path):
    url = f"sqlite:///{tmp_path / 'test.sqlite'}"
    opened = open_database(url)
    migrate()
    yield url
    opened.close()


@pytest.fixture
def alice(database):
    return add("alice@lycee.example")


@pytest.fixture
def bob(database):
    return add("bob@lycee.example")


@pytest.fixture
def app(settings, alice):
    return build(settings)


@pytest.fixture
def visitor(app):
    return Browser(app)


@pytest.fixture
def queries():
    """The SQL statements sent since the fixture began, as they go."""
    sent: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: sent.append(record.msg[0])
    logger = logging.getLogger("peewee")
    level = logger.level
    logger.setLevel(logging.DEBUG)
    logger.addHandler(handler)
    yield sent
    logger.removeHandler(handler)
    logger.setLevel(level)
