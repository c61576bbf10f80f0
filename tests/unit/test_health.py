"""What `/healthz?full` and the doctor say, and to whom; what it costs when many ask at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from tests.support.auth_app import PASSWORD, add
from tests.support.system_mail import queued
from tests.support.visits import Visitor
from webmail import create_app, health
from webmail.database.connection import db
from webmail.models import SystemMessage, User, now


def of_system_mail(here) -> health.HealthCheck:
    return next(check for check in health.examine(here.settings) if check.name == "system mail")


def test_a_message_that_should_have_left_is_told(here):
    queued()
    assert of_system_mail(here).good
    SystemMessage.update(due=now() - timedelta(minutes=6)).execute()
    assert (of_system_mail(here).good, of_system_mail(here).message[:20]) == (False, "overdue messages: 1.")


@pytest.fixture
def app(tmp_path):
    made = create_app(tmp_path, secure_cookies="false", imap_security="none", imap_port=1, smtp_port=1, sign_in="accounts")
    yield made
    db.obj.close()


def asked(client, address: str = "127.0.0.1") -> str:
    return client.get("/healthz?full", environ_base={"REMOTE_ADDR": address}).text


def test_strangers_learn_that_something_is_wrong_and_not_what(app):
    assert "worker FAULT: never ran" in asked(app.test_client())
    told = asked(app.test_client(), "203.0.113.9")
    assert "worker FAULT\n" in told and "storage ok\n" in told
    assert ":" not in told


@pytest.mark.parametrize(("role", "told"), [("admin", True), ("person", False)])
def test_administrators_learn_what_is_wrong_wherever_they_are(app, role, told):
    add("alice@lycee.example")
    User.update(role=role).execute()
    alice = Visitor(app)
    fields = {"username": "alice@lycee.example", "password": PASSWORD}
    alice.submit(alice.get("/login"), "form[action='/login']", follow=False, **fields)
    assert ("never ran" in asked(alice.client, "203.0.113.9")) is told


def test_many_who_ask_at_once_cost_one_examination(app, monkeypatch):
    real, times = health.examine, []
    monkeypatch.setattr(health, "examine", lambda settings: times.append(1) or real(settings))
    with ThreadPoolExecutor(8) as pool:
        answers = set(pool.map(lambda _: asked(app.test_client()), range(80)))
    assert (len(answers), len(times)) == (1, 1)


def test_several_processes_that_examine_at_once_find_the_storage_well(here):
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: health._storage(here.settings).message, range(400)))
    assert found == {"can be written"}
