"""Mail about changes of how somebody signs in: in their language, whoever makes the change, and from a command too."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from tests.support.auth_app import add, build
from webmail.config import settings as config
from webmail.database.connection import open_database
from webmail.database.migrate import migrate
from webmail.models import SystemMessage, User, now
from webmail.web.formatting import long_date
from webmail.web.security_mail import SecurityNotice, tell


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    url = f"sqlite:///{tmp_path / 'test.sqlite'}"
    opened = open_database(url)
    migrate()
    settings = config.load(tmp_path / "instance", database_url=url)
    yield build(replace(settings, system_address="Lycée <info@lycee.example>"))
    opened.close()


@pytest.fixture
def alice(app: Flask) -> User:
    user = add("alice@lycee.example")
    user.language, user.recovery_address = "fr", "alice@ailleurs.example"
    user.save()
    return user


def test_it_is_in_the_language_of_who_reads_it(app: Flask, alice: User) -> None:
    """Its date too, though the page is in another language."""
    with app.test_request_context(environ_base={"REMOTE_ADDR": "192.0.2.7"}):
        english = long_date(now())
        tell(alice, SecurityNotice.PASSWORD_CHANGED, browser="Firefox, Windows")
        assert long_date(now()) == english, "the page goes on in its own"
    body = SystemMessage.get().body
    assert "Firefox, Windows" in body and "192.0.2.7" in body and " à " in body and english not in body
    assert {row.recipient for row in SystemMessage.select()} == {alice.address, alice.recovery_address}


def test_where_it_was_done_can_be_elsewhere(app: Flask, alice: User) -> None:
    with app.test_request_context(environ_base={"REMOTE_ADDR": "192.0.2.7"}):
        tell(alice, SecurityNotice.VOUCHER_REFUSED, "Bob %(address)s\n\nPS", network="198.51.100.9")
    body = SystemMessage.get().body
    assert "198.51.100.9" in body and "192.0.2.7" not in body


def test_a_command_has_no_network(app: Flask, alice: User) -> None:
    with app.app_context():
        tell(alice, SecurityNotice.PASSWORD_CHANGED)
    assert " à " in SystemMessage.get().body and "192.0.2" not in SystemMessage.get().body


def test_where_the_establishment_sends_no_mail_nothing_is_sent(app: Flask, alice: User) -> None:
    app.extensions["settings"] = replace(app.extensions["settings"], system_address="")
    with app.test_request_context():
        tell(alice, SecurityNotice.PASSWORD_CHANGED)
    assert not SystemMessage.select().exists()
