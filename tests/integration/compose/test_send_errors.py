"""What is told of messages that a server refuses, on a submission server that does as told."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from tests.bench.fault_server import FaultServer
from tests.bench.faults import TOKENS
from tests.support.compose_form import FORM, value_of, write
from tests.support.visits import Visitor
from tests.support.worker import jobs_of
from webmail import create_app
from webmail.compose.outbox import delivery
from webmail.database.connection import db
from webmail.models import Outbox, OutboxState, now


@pytest.fixture
def faulty(services, tmp_path, make_account, monkeypatch):
    """Alice, with a submission server that does as told and the real Dovecot."""
    values = {name.removeprefix("WEBMAIL_").lower(): value for name, value in services.settings().items()}
    del values["instance"], values["jobs_file"], values["uploads_folder"]
    with FaultServer(extensions=TOKENS) as server:
        values |= {"undo_seconds": 0, "secure_cookies": False, "smtp_port": server.port, "smtp_security": "none"}
        app = create_app(tmp_path / "faulty", **values)
        alice = Visitor(app, make_account("alice")).sign_in()
        alice.server, alice.app = server, app
        yield alice
        with db.connection_context():
            Outbox.delete().execute()


def turn(alice):
    jobs = jobs_of(alice.app)
    with db.connection_context():
        for row in delivery.sweep(jobs.settings):
            delivery.deliver(row, jobs.settings, jobs.account_for)


def test_after_a_day_of_refusals_it_is_among_the_drafts_with_the_reason(faulty, stored):
    faulty.server.faults = ["451@rcpt"]
    write(faulty, to="bob@x.example", subject="Patience", body="b", action="send")
    for hours in (0, 12, 23):
        Outbox.update(created=now() - timedelta(hours=hours), due=now()).execute()
        turn(faulty)
        assert Outbox.get().state == OutboxState.WAITING
        assert "Next attempt at" in faulty.get("/outbox").text
    assert Outbox.get().due > now() + timedelta(minutes=1)
    Outbox.update(created=now() - timedelta(hours=24), due=now()).execute()
    turn(faulty)
    assert [m["Subject"] for m in stored(faulty, "Drafts")] == ["Patience"]
    assert "was not sent" in faulty.get("/mailbox/INBOX").notices
    page = faulty.get("/outbox")
    assert "is not accepting this message at the moment" in page.text
    assert "451" in page.text
    assert faulty.server.messages == []


def test_some_refused_are_named_and_only_they_get_it_again(faulty, stored):
    faulty.server.faults = ["mix@rcpt", "ok"]
    write(faulty, to="a@x.example, b@x.example, c@x.example", subject="s", body="b", action="send-anyway")
    turn(faulty)
    page = faulty.get("/outbox")
    assert "refused for 1" in page.text
    form = faulty.submit(page, ".outbox-row form", action="edit")
    assert value_of(form, "to") == "b@x.example"
    faulty.submit(form, FORM, to="bb@x.example", action="send")
    turn(faulty)
    assert [m.recipients for m in faulty.server.messages] == [["a@x.example", "c@x.example"], ["bb@x.example"]]


def test_an_address_that_the_server_can_not_take_is_named(faulty):
    page = write(faulty, to="élise@x.example, b@x.example", subject="s", body="b", action="send-anyway")
    assert page.status == 200
    faulty.server.extensions = ("AUTH OAUTHBEARER", "8BITMIME")  # it was another one that said it could
    turn(faulty)
    page = faulty.get("/outbox")
    assert "Not sent." in page.text
    assert "before the @" in page.text
    assert json.loads(Outbox.get().refused).keys() == {"élise@x.example"}
