"""The same application with somebody else's IMAP and SMTP servers: TLS with verified certificates, passwords kept sealed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from imapclient import IMAPClient

from deploy.demo.services import Services
from tests.integration.message.test_invitations import event_of
from tests.integration.message.test_meeting_replies import plan, reply
from tests.support import worker
from tests.support.meetings import answer
from tests.support.messages import message
from tests.support.relay import Relay
from tests.support.servers import certificate
from tests.support.task_work import work_all
from tests.support.visits import Visitor
from tests.support.waiting import eventually
from tests.support.worker import jobs_of
from webmail import create_app, imap, vault
from webmail.database.connection import db
from webmail.message.arrivals import visits
from webmail.models import Correspondent, Outbox, Session, Task, User

FORM = "form.compose-form"


@pytest.fixture
def foreign(services: Services, tmp_path: Path) -> Iterator[Callable[..., Flask]]:
    """`foreign()` trusts the servers' certificate, `foreign(ca_file="")` does not. Its database is its own."""
    context, pem = certificate(tmp_path)
    before = db.obj
    with Relay(services.ports.imap, context) as imaps, Relay(services.ports.smtp, context) as smtps:

        def make(**changes: str) -> Flask:
            values = {
                "imap_host": "127.0.0.1", "imap_port": str(imaps.port), "smtp_host": "127.0.0.1", "smtp_port": str(smtps.port),
                "ca_file": pem, "sign_in": "imap", "secure_cookies": "false", "undo_seconds": "0", **changes,
            }  # fmt: skip
            return create_app(tmp_path / "instance", **values)

        yield make
    imap.close_all()
    db.initialize(before)


def test_a_person_signs_in_reads_and_sends(
    foreign: Callable[..., Flask], make_account: Callable[..., str], imap_of: Callable[[str], IMAPClient]
) -> None:
    address = make_account()
    imap_of(address).append("INBOX", bytes(message("Bienvenue")))
    app = foreign()
    person = Visitor(app, address).sign_in()
    assert person.get("/mailbox/INBOX").rows == ["Bienvenue"]
    assert User.get(User.address == address).password == ""
    worker.alive()
    page = person.submit(person.get("/compose"), FORM, action="send", to=address, subject="À moi", body="texte")
    assert "on its way" in page.notices
    row = Outbox.get(Outbox.sender == address)
    assert row.credential is not None
    jobs_of(app).deliver(row.id)
    assert "À moi" in person.get("/mailbox/Sent").rows
    assert Outbox.get_by_id(row.id).credential is None
    assert person.password.encode() not in bytes(Session.get().credential)


def test_replies_are_noted_when_their_organiser_looks_at_the_calendar(foreign, make_account, imap_of, monkeypatch):
    app, address = foreign(authserv_id="lycee.example"), make_account()
    person = Visitor(app, address).sign_in()
    plan(person, "20301210")
    with db.connection_context():
        event = event_of(person)
    path = f"/calendar/events/{event.collection_id}/{event.href}"
    assert "Replies by email are noted when you open" in person.get(path).text
    imap_of(address).append("INBOX", bytes(reply("ACCEPTED")))
    monkeypatch.setattr(visits, "_looked", {})  # a minute later
    person.client.get("/calendar", buffered=True)  # closed, as by a server

    def noted() -> bool:
        with db.connection_context():
            return answer(event_of(person).text, "bob") == "accepted"

    eventually(noted, what="the reply in the event")


def test_a_wrong_password_is_refused(foreign: Callable[..., Flask], make_account: Callable[..., str]) -> None:
    visitor = Visitor(foreign(), make_account(), password="wrong")
    page = visitor.submit(visitor.get("/login"), "form[action='/login']", username=visitor.address, password="wrong")
    assert page.status == 401 and "Wrong user name or password" in page.text
    assert User.select().count() == 0


def test_a_certificate_that_nobody_vouches_for_is_refused(
    foreign: Callable[..., Flask], make_account: Callable[..., str]
) -> None:
    visitor = Visitor(foreign(ca_file=""), make_account())
    page = visitor.submit(visitor.get("/login"), "form[action='/login']", username=visitor.address, password="demo")
    assert page.status == 502 and "responding" in page.text


def test_a_stolen_database_or_a_stolen_cookie_opens_no_mail(
    foreign: Callable[..., Flask], make_account: Callable[..., str]
) -> None:
    app = foreign()
    person = Visitor(app, make_account()).sign_in()
    token = person.client.get_cookie("traboule").value
    row = Session.get()
    assert token not in row.id_hash and person.password.encode() not in bytes(row.credential)
    Session.delete().execute()
    assert person.get("/mailbox/INBOX", follow=False).location.startswith("/login")


def test_people_are_learned_with_the_password_of_the_sign_in_which_goes_with_the_task(
    foreign: Callable[..., Flask], make_account: Callable[..., str], imap_of: Callable[[str], IMAPClient]
) -> None:
    address = make_account()
    imap_of(address).append("Sent", f"From: {address}\r\nTo: Kari <kari@fjord.example>\r\n\r\n".encode())
    app = foreign()
    Visitor(app, address).sign_in()
    assert Task.select().count() == 0  # no worker: no password waits for one
    worker.alive()
    person = Visitor(app, address).sign_in()
    [task] = Task.select()
    assert task.credential is not None and person.password.encode() not in bytes(task.credential)
    assert work_all(app) == 1
    assert [(row.address, row.count) for row in Correspondent.select()] == [("kari@fjord.example", 1)]
    assert Task.get_by_id(task.id).credential is None
    assert "1 person found in your mail." in person.get("/tasks").text


def test_a_password_changed_meanwhile_ends_the_learning_and_is_forgotten(
    foreign: Callable[..., Flask], make_account: Callable[..., str]
) -> None:
    app = foreign()
    worker.alive()
    person = Visitor(app, make_account()).sign_in()
    [task] = Task.select()
    changed = vault.seal_for_outbox(json.dumps({"own": "old", "other": ""}), app.extensions["settings"].secret_key, task.user_id)
    Task.update(credential=changed).execute()
    work_all(app)
    assert "did not accept your password" in person.get("/tasks").text
    assert Task.get_by_id(task.id).credential is None
