"""The administrator's commands for deputies, as typed."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask_babel import Babel

from webmail.cli import main
from webmail.config import settings as config
from webmail.config.settings import Settings
from webmail.database.connection import open_database
from webmail.database.migrate import migrate
from webmail.models import AuditAct, AuditEntry, Deputy, SystemMessage, User
from webmail.people import groups

Run = Callable[[str], tuple[int, str]]


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    url = f"sqlite:///{tmp_path / 'test.sqlite'}"
    opened = open_database(url)
    migrate()
    plain = config.load(tmp_path / "instance", database_url=url, domain="lycee.example", sign_in="accounts", language="en")
    yield replace(plain, system_address="Lycée <info@lycee.example>")
    opened.close()


@pytest.fixture
def run(settings: Settings) -> Run:
    app = Flask("cli-tests")
    Babel(app)
    app.extensions["settings"] = settings
    main.register(app.cli)
    User.create(address="dora@lycee.example", local="dora", domain="lycee.example")
    for name in ("4e B", "Maths"):
        groups.create("lycee.example", name)

    def typed(words: str) -> tuple[int, str]:
        result = app.test_cli_runner().invoke(args=["accounts", "deputy", *shlex.split(words)])
        return result.exit_code, result.output

    return typed


def test_somebody_becomes_one_and_is_told(run):
    code, words = run("add dora '4E b'")
    assert (code, "now a deputy for 4e B" in words, "need two-step verification" in words) == (0, True, True)
    assert run("add dora '4e B'")[1] == "dora@lycee.example is a deputy for 4e B already\n"
    [mail] = SystemMessage.select()
    assert mail.recipient == "dora@lycee.example"
    assert "4e B" in mail.body
    [entry] = AuditEntry.select().where(AuditEntry.act == AuditAct.DEPUTY_CHANGED)
    assert json.loads(entry.details) == {"by": "command", "change": "added", "group": "4e B"}


def test_they_are_listed_and_removed(run):
    run("add dora '4e B'")
    run("add dora Maths")
    assert run("list")[1] == "dora@lycee.example\t4e B\ndora@lycee.example\tMaths\n"
    assert run("remove dora Maths")[1] == "dora@lycee.example is no longer a deputy for Maths\n"
    assert run("remove dora")[1] == "dora@lycee.example is no longer a deputy for 4e B\n"
    assert run("remove dora")[1] == "dora@lycee.example is no deputy there\n"
    assert not Deputy.select().exists()
    assert run("list")[1] == "No deputies.\n"
    assert AuditEntry.select().where(AuditEntry.act == AuditAct.DEPUTY_CHANGED).count() == 4


def test_what_is_not_there_is_said(run):
    assert run("add dora nothing")[0] == 1
    assert run("add nobody Maths")[0] == 1
