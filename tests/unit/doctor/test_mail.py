"""The doctor's test message: what became of it is told as it is, within its patience."""

from __future__ import annotations

from dataclasses import replace
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from flask import Flask
from flask_babel import Babel

import webmail
from tests.support.system_mail import SOPHIE, queued
from webmail import system_mail
from webmail.config.settings import Settings
from webmail.doctor.mail_servers import test_message
from webmail.doctor.result import OK, PROBLEM, WARNING, CheckResult
from webmail.models import OutboxState, SystemMessage, User, now

FRENCH = "Message de test\N{NO-BREAK SPACE}: Lycée Ampère"


class Worker:
    """In the place of the job queue: it does its work at once, or `instead` of it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.instead: dict[str, object] | None = None

    def schedule_system_mail(self, message_id: int, _when: object) -> None:
        if self.instead is None:
            system_mail.deliver(message_id, self.settings)
        elif self.instead:
            SystemMessage.update(self.instead).where(SystemMessage.id == message_id).execute()


@pytest.fixture
def settings(here) -> Settings:
    return replace(
        here.settings,
        name="Lycée Ampère",
        system_address="Lycée Ampère <ne-pas-repondre@lycee.example>",
        public_url="https://webmail.lycee.example",
        language="fr",
    )


@pytest.fixture
def app(settings: Settings) -> Flask:
    made = Flask("doctor-tests")
    made.config["BABEL_TRANSLATION_DIRECTORIES"] = str(Path(webmail.__file__).with_name("translations"))
    made.extensions["settings"] = settings
    made.extensions["jobs"] = Worker(settings)
    made.add_url_rule("/", "home", lambda: "")
    Babel(made)
    return made


@pytest.fixture
def told(app: Flask, settings: Settings):
    def examine(recipient: str = SOPHIE, **changed: object) -> CheckResult:
        with app.app_context():
            [check] = test_message.examine(recipient, replace(settings, **changed))
            return check

    return examine


def test_nothing_is_said_of_mail_where_nobody_asked(app, settings):
    assert list(test_message.examine("", settings)) == []


def test_without_a_sender_nothing_is_sent(told):
    assert told(system_address="") == CheckResult("Test message", PROBLEM, "was not sent: no sender is set (system_address).")
    assert SystemMessage.select().count() == 0


def test_a_message_that_was_taken_is_well(here, told):
    check = told()
    assert (check.state, SOPHIE in check.words) == (OK, True)
    message = message_from_bytes(here.server.messages[0].content, policy=policy.default)
    assert message["Subject"] == FRENCH
    assert message.get_content().splitlines()[-1] == "https://webmail.lycee.example/"


def test_somebody_known_reads_it_in_their_language(here, told):
    User.create(address=SOPHIE, local="sophie", domain="ailleurs.example", language="en")
    told()
    assert (
        message_from_bytes(here.server.messages[0].content, policy=policy.default)["Subject"] == "Test message from Lycée Ampère"
    )


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("550@rcpt", "was refused (550 5.0.0 as told). Check system_address"),
        ("450@mail", "was not sent (450 4.0.0 as told); the next try is at"),
        ("drop@answer", "may have been sent (the connection broke before the server answered"),
    ],
)
def test_what_went_wrong_is_told_in_the_words_of_the_server(here, told, fault, words):
    here.server.faults = [fault]
    check = told()
    assert (check.state, words in check.words) == (PROBLEM, True), check.words


def test_a_worker_that_does_not_come_is_told(app, told, monkeypatch):
    monkeypatch.setattr(test_message, "PATIENCE", 0.3)
    app.extensions["jobs"].instead = {}
    check = told()
    assert (check.state, "flask --app wsgi jobs" in check.words) == (PROBLEM, True)


def test_a_server_that_takes_its_time_is_no_fault(app, told, monkeypatch):
    monkeypatch.setattr(test_message, "PATIENCE", 0.3)
    app.extensions["jobs"].instead = {"state": OutboxState.SENDING, "lease": now()}
    assert told().state == WARNING


def test_an_address_that_had_too_many_is_told(told):
    for _ in range(system_mail.PER_DAY):
        queued()
    check = told()
    assert (check.state, "30 messages" in check.words) == (PROBLEM, True)


def test_what_is_no_address_is_told(told):
    check = told("sophie,bob@ailleurs.example")
    assert (check.state, "not an e-mail address" in check.words) == (PROBLEM, True)


def test_a_database_without_the_table_is_told(told):
    SystemMessage.drop_table()
    check = told()
    assert (check.state, "database" in check.words) == (PROBLEM, True)
