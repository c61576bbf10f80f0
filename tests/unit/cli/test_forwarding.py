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

from webmail.cli import forwarding, main
from webmail.config import settings as config
from webmail.config.settings import Settings
from webmail.database.connection import open_database
from webmail.database.migrate import migrate
from webmail.errors import ServerAwayError
from webmail.filters.forwarding.forwarding import Forwarding
from webmail.models import AuditAct, AuditEntry, ForwardTarget, User, now


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
    main.register(app.cli)
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


def test_what_was_turned_off_is_said_and_recorded_even_if_the_server_goes_away_then(settings, monkeypatch):
    def away(_account):
        raise ServerAwayError("gone")

    monkeypatch.setattr(forwarding, "_account", lambda _user: None)
    monkeypatch.setattr(forwarding.forward_change, "without", lambda *_all: Forwarding(True, ("x@world.test",)))
    monkeypatch.setattr(forwarding.store, "load", away)
    code, told = run(settings, "off ann@lycee.example")
    assert code == 0 and "no longer forwarded to x@world.test" in told and "nothing was changed" not in told
    assert AuditEntry.select().where(AuditEntry.act == AuditAct.FORWARDING_ENDED).count() == 1


def test_it_needs_a_server_and_a_token_to_ask(settings):
    for words in ("off ann@lycee.example", "list --scripts"):
        assert run(settings, words) == (1, "Error: there is no ManageSieve server: set sieve_host\n")
        code, told = run(replace(settings, sieve_host="127.0.0.1"), words)
        assert (code, "token_key_file" in told) == (1, True)
