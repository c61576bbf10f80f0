"""`flask accounts disconnect`: who an account is at a provider is forgotten, and its sessions end."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask

from webmail.auth.sessions import sessions
from webmail.cli import main
from webmail.config import settings
from webmail.database.connection import open_database
from webmail.database.migrate import migrate
from webmail.models import AuditAct, AuditEntry, LinkedAccount, Session, User


@pytest.fixture
def run(tmp_path: Path):
    url = f"sqlite:///{tmp_path / 'test.sqlite'}"
    opened = open_database(url)
    migrate()
    app = Flask("cli-tests")
    app.extensions["settings"] = settings.load(
        tmp_path / "instance", database_url=url, domain="lycee.example", sign_in="accounts"
    )
    main.register(app.cli)
    alice = User.create(address="alice@lycee.example", local="alice", domain="lycee.example")
    LinkedAccount.create(user=alice, provider="oidc:ent", subject="1", shown="ann@ent.example")
    sessions.start(alice, app.extensions["settings"])
    yield lambda line: app.test_cli_runner().invoke(args=line.split())
    opened.close()


def test_a_link_is_taken_away_and_sessions_end(run):
    result = run("accounts disconnect alice oidc:ent")
    assert result.exit_code == 0, result.output
    assert "no longer ann@ent.example at oidc:ent" in result.output
    assert not LinkedAccount.select().count() and not Session.select().count()
    assert AuditEntry.get(AuditEntry.act == AuditAct.PROVIDER_UNLINKED).target == "alice@lycee.example"


def test_what_is_connected_is_said_where_it_is_another(run):
    result = run("accounts disconnect alice cas")
    assert result.exit_code == 1
    assert "connected: oidc:ent" in result.output
    assert Session.select().count() == 1
