"""A mail about a sign-in from a browser that was not known."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.support.auth_app import Browser, build
from webmail.models import AuditEntry, SystemMessage, User, now

CHROME = {"User-Agent": "Mozilla/5.0 (Windows NT 10.0) Chrome/140.0 Safari/537.36"}


@pytest.fixture
def settings(settings):
    return replace(settings, system_address="Lycée <pages@lycee.example>", system_password="x", recovery_address="off")


@pytest.fixture
def used(visitor):
    """Alice has signed in once."""
    visitor.sign_in()
    return visitor


def elsewhere(app, network="198.51.100.7", headers=None, **fields):
    browser = Browser(app)
    data = {"username": "alice", "password": "correct horse", **fields}
    response = browser.post("/login", data, environ_base={"REMOTE_ADDR": network}, headers=headers or {})
    assert response.status_code == 303
    return browser


def told() -> list[str]:
    return [row.subject for row in SystemMessage.select().where(SystemMessage.kind == "security")]


def test_not_the_first_sign_in_ever(used):
    assert told() == []


def test_a_browser_that_is_not_known(app, used, alice):
    elsewhere(app, headers=CHROME)
    assert told() == ["Sign-in from a new browser"]
    row = SystemMessage.get()
    assert (row.recipient, row.language) == (alice.address, "en"), "as at the sign-in before"
    assert "Chrome, Windows" in row.body and "198.51.100.7" in row.body


def test_a_known_one_is_not_told(app, used):
    browser = elsewhere(app)
    browser.post("/logout", form_at="/devices")
    browser.sign_in()
    assert len(told()) == 1


def test_the_same_kind_in_the_same_network_is_told_once_a_day(app, used):
    elsewhere(app, headers=CHROME)
    elsewhere(app, headers=CHROME)
    assert len(told()) == 1
    elsewhere(app, network="203.0.113.9", headers=CHROME)
    elsewhere(app)
    assert len(told()) == 3
    AuditEntry.update(at=now() - timedelta(days=1, minutes=1)).execute()
    elsewhere(app, headers=CHROME)
    assert len(told()) == 4


def test_a_shared_computer_is_told_once_a_day_in_its_network(app, used):
    elsewhere(app, shared="y")
    elsewhere(app, shared="y", headers=CHROME)
    assert len(told()) == 1
    elsewhere(app, network="203.0.113.9", shared="y")
    assert len(told()) == 2


def test_an_old_account_that_the_log_has_forgotten(app, used, settings):
    AuditEntry.delete().execute()
    User.update(created=now() - timedelta(days=settings.audit_days + 1)).execute()
    elsewhere(app)
    assert len(told()) == 1


@pytest.mark.parametrize("changed", [{"new_browser_mail": False}, {"system_address": ""}])
def test_where_it_is_not_wanted(settings, used, changed):
    elsewhere(build(replace(settings, **changed)))
    assert told() == []


def test_the_recovery_address_is_told_too(app, used, alice):
    User.update(recovery_address="marie@ailleurs.example").execute()
    elsewhere(app)
    assert {row.recipient for row in SystemMessage.select()} == {alice.address, "marie@ailleurs.example"}


def test_a_wrong_password_tells_nothing(app, used):
    Browser(app).sign_in(password="wrong")
    assert told() == []
