"""The administrator's command for a colleague who is away, as typed, where it can't do it; the rest: tests/integration/filters."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask_babel import Babel

from webmail.cli import absence, main
from webmail.config import settings as config
from webmail.config.settings import Settings
from webmail.database.connection import open_database
from webmail.database.migrate import migrate
from webmail.errors import ServerAwayError
from webmail.filters.absence.absence import Absence
from webmail.filters.store import Filters, FilterState
from webmail.models import AuditEntry, SystemMessage, User

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    url = f"sqlite:///{tmp_path / 'test.sqlite'}"
    opened = open_database(url)
    migrate()
    plain = config.load(tmp_path / "instance", database_url=url, domain="lycee.example", sign_in="accounts", language="en")
    User.create(address="ann@lycee.example", local="ann", domain="lycee.example")
    yield replace(plain, system_address="Lycée <info@lycee.example>")
    opened.close()


def run(settings: Settings, words: str) -> tuple[int, str]:
    app = Flask("cli-tests")
    Babel(app)
    app.extensions["settings"] = settings
    main.register(app.cli)
    result = app.test_cli_runner().invoke(args=["absence", *shlex.split(words)], input="Away\n")
    return result.exit_code, result.output


@pytest.fixture
def reachable(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """As if there were a server with nothing on it."""
    monkeypatch.setattr(absence, "_account", lambda _user: None)
    monkeypatch.setattr(absence.store, "load", lambda _account: FilterState(Filters(absence=Absence())))
    return settings


def test_it_needs_a_server_and_a_token(settings):
    assert run(settings, "ann --show") == (1, "Error: there is no ManageSieve server: set sieve_host\n")
    code, words = run(replace(settings, sieve_host="127.0.0.1"), "ann --show")
    assert (code, "token_key_file" in words) == (1, True)
    assert run(settings, "nobody --show")[0] == 1


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("--from tomorrow", "times are written 2026-12-01"),
        ("--until 2020-01-01", "--until is over already"),
        ("--from 2031-01-02 --until 2031-01-01 --text-file -", "--until must be later than --from"),
        ("--until 2031-01-01", "needs a text"),
        ("--subject 'a\nb' --text-file -", "one line"),
        ("--days 3 --text-file -", "is not one of '1', '7', '30'"),
        ("--audience all --text-file -", "is not one of"),
    ],
)
def test_what_can_t_be_is_told_and_nothing_is_written(reachable, words, sentence):
    code, told = run(reachable, f"ann {words}")
    assert code != 0 and sentence in told, told
    assert AuditEntry.select().count() == SystemMessage.select().count() == 0


def test_a_server_that_is_away_is_told(reachable, monkeypatch):
    def gone(_account):
        raise ServerAwayError("refused\x1b[2J")

    monkeypatch.setattr(absence.store, "load", gone)
    code, told = run(reachable, "ann --off")
    assert code == 1 and "nothing was changed" in told and "\x1b" not in told


def test_nothing_is_shown_as_off(reachable):
    code, told = run(reachable, "ann --show")
    assert code == 0 and told.splitlines()[0].split() == ["replies", "off"]
