"""Mail that arrives acts before anybody opens it: Dovecot tells the web, and the worker reads what is new."""

from __future__ import annotations

from collections.abc import Iterator
from email.message import EmailMessage

import pytest
from flask import Flask

from deploy.demo.services import Services
from tests.integration.message.test_invitations import event_of
from tests.integration.message.test_meeting_replies import look, plan, reply
from tests.support import strangers
from tests.support.delivery import deliver
from tests.support.meetings import answer
from tests.support.passing_folder import passing_folder
from tests.support.visits import Visitor
from tests.support.worker import jobs_of
from webmail import managesieve
from webmail.compose.awaited import awaited_replies
from webmail.database.connection import db
from webmail.models import SearchedMailbox, SentInvitation, User, now

FILED = 'require ["fileinto", "mailbox"];\nif header :contains "subject" "Conseil" { fileinto :create "Réunions/Réponses"; }\n'


@pytest.fixture(scope="module")
def services() -> Iterator[Services]:
    """With a web server, to which Dovecot tells what arrives."""
    with passing_folder() as folder, Services(folder / "demo", jobs=False) as running:
        yield running


@pytest.fixture
def organiser(services: Services, tmp_path) -> Iterator[Visitor]:
    """She invited Bob and Cat to something in 2030, and opens no page any more."""
    before = db.obj
    with strangers.checking_app(services, tmp_path / "instance") as app:
        services.add_account("zina@lycee.example", "Zina")
        visitor = Visitor(app, "zina@lycee.example").sign_in()
        plan(visitor, "20301210")
        yield visitor
        with db.connection_context():
            User.delete().where(User.address == visitor.address).execute()
    db.initialize(before)


def arrives(services: Services, organiser: Visitor, one: EmailMessage) -> None:
    deliver(services.ports.lmtp, organiser.address, one)


def work(app: Flask) -> list[str]:
    """What the worker does of what it was told; the mailboxes in which something waited."""
    with db.connection_context():
        told = sorted(row.mailbox for row in SearchedMailbox.select().where(SearchedMailbox.due > 0))
    jobs_of(app).do("mail arrivals")
    return told


def test_a_reply_is_in_the_event_though_nobody_opened_a_page(services, organiser):
    arrives(services, organiser, reply("ACCEPTED"))
    assert work(organiser.client.application) == ["INBOX"]
    assert answer(event_of(organiser).text, "bob") == "accepted"
    arrives(services, organiser, reply("DECLINED", "cat", proven=False))
    assert work(organiser.client.application) == ["INBOX"]
    assert answer(event_of(organiser).text, "cat") == "needs-action"
    assert work(organiser.client.application) == []


def test_so_is_an_answer_to_a_message_that_somebody_waits_for(services, organiser):
    """Also of who organises nothing."""
    with db.connection_context():
        SentInvitation.delete().execute()
        user = User.get(User.address == organiser.address)
        awaited_replies.begin(user, "<1@lycee.example>", "Devis", "Bob", now(), sent=now(), mailbox="Sent")
    one = reply("ACCEPTED", proven=False)
    del one["Message-ID"]
    one["Message-ID"], one["References"] = "<2@x.example>", "<0@x.example> <1@lycee.example>"
    arrives(services, organiser, one)
    assert work(organiser.client.application) == ["INBOX"]
    with db.connection_context():
        found = awaited_replies.of_message(user, "<1@lycee.example>")
    assert found is not None and found.answered and found.answer_mailbox == "INBOX"


def test_so_is_one_that_a_filter_files_elsewhere_or_that_nobody_told_of(services, organiser):
    app = organiser.client.application
    with managesieve.connect(app.extensions["settings"].account(organiser.address)) as connection:
        connection.write("filters", FILED)
        connection.activate("filters")
    arrives(services, organiser, reply("TENTATIVE"))
    assert work(app) == ["Réunions/Réponses"]
    assert answer(event_of(organiser).text, "bob") == "tentative"
    web = next(child for child in services.children if child.name == "web")
    web.stop()
    arrives(services, organiser, reply("ACCEPTED"))  # delivered all the same
    assert work(app) == [] and look(organiser, whole=True) == 1
    assert answer(event_of(organiser).text, "bob") == "accepted"
    assert look(organiser, whole=True) == 0
    with db.connection_context():
        assert SearchedMailbox.select().where(SearchedMailbox.due > 0).count() == 0
