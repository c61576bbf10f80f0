"""The administrator's commands for handovers, as typed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask_babel import Babel

from webmail.cli import main
from webmail.config import settings as config
from webmail.database.connection import open_database
from webmail.database.migrate import migrate
from webmail.models import AuditAct, AuditEntry, HandoverKind, HandoverState, MailboxHandover, User, now
from webmail.people import handovers
from webmail.people.handovers import HandoverTerms

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    url = f"sqlite:///{tmp_path / 'test.sqlite'}"
    opened = open_database(url)
    migrate()
    app = Flask("cli-tests")
    Babel(app)
    app.extensions["settings"] = config.load(tmp_path / "instance", database_url=url, domain="lycee.example", sign_in="accounts")
    main.register(app.cli)
    marie, paul = (User.create(address=f"{name}@lycee.example", local=name, domain="lycee.example") for name in ("marie", "paul"))
    terms = HandoverTerms(HandoverKind.ABSENCE, start=now() + timedelta(days=1), until=now() + timedelta(days=7))
    handovers.ask(marie, paul, marie, terms, ("lycee.example",))

    def typed(*words: str) -> tuple[int, str]:
        result = app.test_cli_runner().invoke(args=["handovers", *words])
        return result.exit_code, result.output

    yield typed
    opened.close()


def test_they_are_listed_and_ended(run: Run) -> None:
    number = MailboxHandover.get().id
    for words in ((), ("marie",), ("paul",)):
        code, said = run("list", *words)
        assert code == 0 and said.startswith(f"{number}\tagreed\tabsence\tmarie@lycee.example\tpaul@lycee.example\t")
    assert run("end", str(number)) == (0, "paul@lycee.example no longer has the mailbox of marie@lycee.example\n")
    assert MailboxHandover.get().state == HandoverState.ENDED
    entry = AuditEntry.get(AuditEntry.act == AuditAct.HANDOVER_ENDED)
    assert entry.target == "marie@lycee.example" and '"command"' in entry.details
    assert run("list") == (0, "No handovers.\n")
    for wrong in (number, 99, 10**12):
        code, said = run("end", str(wrong))
        assert code == 1 and ("is over already" in said or "there is no handover" in said)
