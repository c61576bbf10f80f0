"""The administrator's list of forwarding, where there is no mail server to ask; the rest: tests/integration/filters."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from flask import Flask
from flask_babel import Babel

from webmail import cli, config
from webmail.config import Settings
from webmail.database.connection import open_database
from webmail.database.migrate import migrate
from webmail.models import ForwardTarget, User, now


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    url = f"sqlite:///{tmp_path / 'test.sqlite'}"
    opened = open_database(url)
    migrate()
    User.create(address="ann@lycee.example", local="ann", domain="lycee.example")
    yield config.load(tmp_path / "instance", database_url=url, domain="lycee.example", sign_in="accounts", language="en")
    opened.close()


def run(settings: Settings, words: str) -> tuple[int, str]:
    app = Flask("cli-tests")
    Babel(app)
    app.extensions["settings"] = settings
    cli.register(app)
    result = app.test_cli_runner().invoke(args=["forwarding", *shlex.split(words)])
    return result.exit_code, result.output


def test_it_lists_what_was_seen(settings):
    assert "Nobody forwards" in run(settings, "list")[1]
    ann = User.get()
    ForwardTarget.create(user=ann, address="a@world.test", active=True, keeps_copy=False, until=datetime(2031, 3, 4, 7, 30))
    ForwardTarget.create(user=ann, address="b@world.test", active=True, confirmed=now())
    ForwardTarget.create(user=ann, address="c@world.test", confirmed=now())
    lines = [
        "ann@lycee.example\ta@world.test\tno copy\tuntil 2031-03-04T07:30Z\tnot confirmed",
        "ann@lycee.example\tb@world.test\tcopy kept\tuntil turned off\tconfirmed",
    ]
    assert run(settings, "list")[1].splitlines() == lines
    assert run(settings, "list ann@lycee.example")[1].splitlines() == lines
    assert run(settings, "list nobody@lycee.example")[0] == 1


def test_it_needs_a_server_and_a_token_to_ask(settings):
    for words in ("off ann@lycee.example", "list --scripts"):
        assert run(settings, words) == (1, "Error: there is no ManageSieve server: set sieve_host\n")
        code, told = run(replace(settings, sieve_host="127.0.0.1"), words)
        assert (code, "token_key_file" in told) == (1, True)
