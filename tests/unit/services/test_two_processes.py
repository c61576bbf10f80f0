"""Several processes and one token: renewed once; a process that is killed in the middle of it keeps nobody out."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from flask import request

from tests.support.fakes.microsoft import FakeMicrosoft
from tests.support.waiting import eventually
from webmail.config.settings import Settings
from webmail.models import ConnectedService, ServiceState, User, now
from webmail.services import connections, providers, tokens
from webmail.services.service_errors import ConsentEndedError

_PROCESS = """
import json, sys
from webmail.config.settings import load
from webmail.database.connection import db, open_database
from webmail.models import ConnectedService
from webmail.services import tokens
folder, url, number, more = sys.argv[1:]
settings = load(folder, **json.loads(more))
open_database(url)
db.connect()
connection = ConnectedService.get_by_id(int(number))
print("begins", flush=True)
print(tokens.access_token(connection, settings), flush=True)
"""


class Held(FakeMicrosoft):
    """Answers for tokens when it is let: `reached` when it was asked first."""

    def __init__(self) -> None:
        super().__init__()
        self.reached, self.let = threading.Event(), threading.Event()

    def token(self) -> object:
        assert request.form  # all of it has come
        self.reached.set()
        self.let.wait(30)
        return super().token()


@pytest.fixture
def microsoft() -> Iterator[Held]:
    with Held().serving() as fake:
        yield fake
        fake.let.set()


@pytest.fixture
def made(odile: User, microsoft: Held, settings: Settings) -> ConnectedService:
    access, refresh = microsoft.give("Files.Read")
    provider = providers.find("microsoft", settings)
    assert provider is not None
    return connections.make(
        odile, provider, login="odile", secret={"access": access, "refresh": refresh}, settings=settings, scopes="Files.Read",
        expires=now() + timedelta(seconds=5),
    )[0]  # fmt: skip


@contextmanager
def process(made: ConnectedService, settings: Settings, url: str, fake: FakeMicrosoft) -> Iterator[subprocess.Popen[str]]:
    """Another process that asks for a token."""
    more = json.dumps({"services": "microsoft", "public_url": settings.public_url, **fake.settings()})
    command = [sys.executable, "-c", _PROCESS, settings.instance, url, str(made.id), more]
    root = Path(__file__).parents[3]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as running:
        try:
            yield running
        finally:
            running.kill()


def said(running: subprocess.Popen[str]) -> str:
    assert running.stdout is not None
    return running.stdout.readline().strip()


def test_two_processes_renew_a_token_once(
    made: ConnectedService, settings: Settings, module_database: str, microsoft: Held
) -> None:
    microsoft.rotates = True  # a second renewal with the same refresh token would be refused
    with process(made, settings, module_database, microsoft) as one, process(made, settings, module_database, microsoft) as other:
        assert said(one) == said(other) == "begins"
        assert microsoft.reached.wait(30)
        microsoft.let.set()
        first, second = said(one), said(other)
    assert first == second and first in microsoft.access
    assert len(microsoft.forms) == 1
    assert ConnectedService.get_by_id(made.id).state == ServiceState.WORKS


@pytest.mark.parametrize("rotates", [False, True])
def test_a_process_that_is_killed_before_the_answer_keeps_nobody_out(
    made: ConnectedService, settings: Settings, module_database: str, microsoft: Held, rotates: bool
) -> None:
    """Where the provider takes the old refresh token no longer, the person is told that it was lost, and connects again."""
    microsoft.rotates = rotates
    with process(made, settings, module_database, microsoft) as one:
        assert said(one) == "begins" and microsoft.reached.wait(30)
        one.kill()
        one.wait()
    grant, count = microsoft.grants[0], len(microsoft.grants[0].refresh)
    microsoft.let.set()
    if rotates:
        eventually(lambda: len(grant.refresh) > count)  # it has answered into the void
    connection = ConnectedService.get_by_id(made.id)
    assert connection.renewing is not None
    if rotates:
        with pytest.raises(ConsentEndedError):
            tokens.access_token(connection, settings)
        assert ConnectedService.get_by_id(made.id).problem == "lost"
    else:
        assert tokens.access_token(connection, settings) in microsoft.access
        assert ConnectedService.get_by_id(made.id).renewing is None
