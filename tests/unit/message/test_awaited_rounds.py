"""Reminders of messages that nobody answered: each once, whichever worker is killed when, and none of what was answered."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import timedelta
from threading import Barrier, Thread

import pytest
from flask import Flask

from tests.support.auth_app import add
from tests.support.postgresql import fresh_database, server_url
from webmail import create_app, preferences
from webmail.compose.awaited import awaited_replies, incoming_answers
from webmail.database.connection import db
from webmail.errors import LimitReachedError, ServerAwayError
from webmail.message.arrivals import awaited_rounds, missed_mail
from webmail.message.notifications import awaited_letters
from webmail.models import AwaitedReply, SystemMessage, User, now


@pytest.fixture(params=["sqlite", "postgresql"])
def app(request, tmp_path, monkeypatch) -> Iterator[Flask]:
    """Alice waits for an answer to three messages; her mailboxes have nothing new."""
    if request.param == "postgresql" and not server_url():
        pytest.skip("no PostgreSQL here")
    with fresh_database() if request.param == "postgresql" else nullcontext("") as url:
        more = {"database_url": url} if url else {}
        made = create_app(
            tmp_path / "instance", sign_in="accounts", domain="lycee.example", secure_cookies=False, imap_security="none", imap_port=1,
            smtp_port=1, system_address="info@lycee.example", system_password="x", public_url="https://mail.lycee.example", language="en", **more,
        )  # fmt: skip
        monkeypatch.setattr(missed_mail, "look", lambda *_about, **_more: 0)
        db.connect(reuse_if_open=True)
        add("alice@lycee.example")
        preferences.change(alice(), reminders="both")
        for number in range(3):
            due = now() - timedelta(minutes=1)
            awaited_replies.begin(
                alice(), f"<{number}@me>", f"Devis {number}", "Bob", due, sent=now(), mailbox="Sent", uid=number + 1
            )
        with made.app_context():
            yield made
        db.obj.close()


def alice() -> User:
    return User.get(User.address == "alice@lycee.example")


def remind(app: Flask) -> list[int]:
    settings = app.extensions["settings"]
    return awaited_rounds.sweep(settings, awaited_letters.writer(settings))


def told() -> int:
    return AwaitedReply.select().where(AwaitedReply.told.is_null(False)).count()


def arrives(app: Flask, *heads: bytes) -> int:
    found = dict(enumerate(heads, 1))
    return incoming_answers.take(alice(), found, "INBOX", 7, lambda _uids: {}, app.extensions["settings"])


def test_several_that_are_due_together_are_one_letter(app):
    assert len(remind(app)) == 1 and remind(app) == [] and told() == 3
    letter = SystemMessage.get()
    assert letter.subject == "Nobody has replied to 3 of your messages" and "Devis 2" in letter.body


def test_a_worker_that_is_killed_while_it_reminds_has_told_nothing(app):
    db.close()
    child = os.fork()
    if child == 0:
        with db.connection_context():
            awaited_rounds.sweep(app.extensions["settings"], lambda *_about: os.kill(os.getpid(), signal.SIGKILL))
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    db.connect()
    assert told() == 0 and SystemMessage.select().count() == 0
    assert len(remind(app)) == 1 and told() == 3 and SystemMessage.select().count() == 1


def test_of_two_workers_at_once_one_reminds(app):
    taken: list[int] = []
    ready = Barrier(2)

    def work() -> None:
        with db.connection_context():
            rows = awaited_replies.due_rows(alice())
            ready.wait()
            with db.atomic():
                taken.extend(row.id for row in awaited_replies.take_due(rows))

    workers = [Thread(target=work) for _worker in range(2)]
    for one in workers:
        one.start()
    for one in workers:
        one.join()
    assert sorted(taken) == sorted(row.id for row in AwaitedReply.select())


def test_nothing_is_said_while_the_mail_cannot_be_looked_at(app, monkeypatch):
    def away(*_about, **_more):
        raise ServerAwayError("away")

    monkeypatch.setattr(missed_mail, "look", away)
    assert remind(app) == [] and told() == 0
    assert not awaited_replies.pending()[0].exists()  # tried again in some minutes
    monkeypatch.setattr(missed_mail, "look", lambda *_about, **_more: 0)
    AwaitedReply.update(due=now()).execute()
    assert len(remind(app)) == 1 and told() == 3


def test_answers_count_automatic_ones_and_own_ones_do_not(app):
    of_bob, of_alice = b"From: Bob <bob@x.example>\r\n", b"From: Alice@Lycee.Example\r\n"
    assert (
        arrives(app, of_alice + b"In-Reply-To: <0@me>\r\n", of_bob + b"Auto-Submitted: auto-replied\r\nReferences: <1@me>\r\n")
        == 0
    )
    assert arrives(app, of_bob + b"References: <9@x> <0@me>\r\n", of_bob + b"In-Reply-To: <0@ME>\r\n") == 1
    assert arrives(app, of_bob + b"References: <0@me>\r\n") == 0  # the first one counts
    assert len(remind(app)) == 1 and told() == 2
    row = awaited_replies.of_message(alice(), "<1@me>")
    assert row is not None and row.automatic == "Bob"


def test_what_has_not_left_or_was_let_be_is_not_told(app):
    rows = list(AwaitedReply.select().order_by(AwaitedReply.id))
    AwaitedReply.update(sent=None).where(AwaitedReply.id == rows[0].id).execute()
    assert awaited_replies.end(alice(), rows[1].id) and not awaited_replies.end(alice(), rows[1].id)
    remind(app)
    assert told() == 1
    assert awaited_replies.resume(alice(), rows[1].id) and len(remind(app)) == 1 and told() == 2


def test_it_is_bounded_and_forgotten(app, monkeypatch):
    monkeypatch.setattr(awaited_replies, "MOST", 3)
    with pytest.raises(LimitReachedError):
        awaited_replies.begin(alice(), "<4@me>", "s", "Bob", now())
    with pytest.raises(LimitReachedError):
        awaited_replies.begin(alice(), f"<{'x' * 300}@me>", "s", "Bob", now())
    long_ago = now() - timedelta(days=400)
    AwaitedReply.update(answered=long_ago).where(AwaitedReply.message_id == "<0@me>").execute()
    AwaitedReply.update(told=long_ago).where(AwaitedReply.message_id == "<1@me>").execute()
    awaited_replies.forget_old()
    assert sorted((row.message_id, row.ended is not None) for row in AwaitedReply.select()) == [
        ("<1@me>", True),
        ("<2@me>", False),
    ]
