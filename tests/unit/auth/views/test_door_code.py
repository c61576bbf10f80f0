"""The sign-in page of somebody who is kept waiting by others' guesses: a code from their mail spares the wait."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from tests.support.auth_app import Browser, build
from webmail import system_mail
from webmail.models import SystemMessage, User

OUTSIDE = "alice@private.example"


@pytest.fixture
def settings(settings):
    return replace(settings, system_address="Lycée <ne-pas-repondre@lycee.example>")


@pytest.fixture
def waiting(app, alice):
    """A new browser of Alice's, while somebody guesses her password."""
    User.update(recovery_address=OUTSIDE).execute()
    stranger = Browser(app)
    for _ in range(10):
        stranger.sign_in(password="wrong")
    return Browser(app)


def ask(browser, name="alice"):
    return browser.post("/login", {"username": name, "action": "code"})


def test_the_page_offers_it_only_to_who_has_to_wait(visitor, waiting):
    assert 'name="code"' not in visitor.get("/login").text
    answer = waiting.sign_in()
    assert answer.status_code == 429
    assert 'name="code"' in answer.text and 'name="action" value="code"' in answer.text


def test_the_code_is_mailed_and_lets_in(waiting, settings):
    assert waiting.sign_in().status_code == 429
    answer = ask(waiting)
    assert answer.status_code == 200 and "we have sent a code there" in answer.text and 'value="alice"' in answer.text
    answer.close()
    row = SystemMessage.get()
    text = system_mail.text_of(row, settings.secret_key)
    assert (row.recipient, row.kind) == (OUTSIDE, "door-code")
    code = re.search(r"^ +(\w{5}-\w{5})$", text, re.M)[1]
    assert code not in row.body and code not in row.subject
    assert waiting.sign_in(code="12345-67890").status_code == 429
    assert waiting.sign_in(code=code).status_code == 303


def test_it_is_mailed_once_a_day(waiting):
    for _ in range(3):
        ask(waiting).close()
    assert SystemMessage.select().count() == 1


@pytest.mark.parametrize("name", ["bob", "mallory", "", "x" * 5000, "a\0b@c"])
def test_others_get_the_same_answer_and_no_mail(waiting, bob, name):
    before = re.sub(r'value="[^"]*"', "", ask(waiting).text)
    SystemMessage.delete().execute()
    answer = ask(waiting, name)
    assert re.sub(r'value="[^"]*"', "", answer.text) == before
    answer.close()
    assert SystemMessage.select().count() == 0


def test_it_is_not_offered_where_no_mail_is_sent(settings, waiting):
    other = Browser(build(replace(settings, system_address="")))
    answer = other.sign_in()
    assert answer.status_code == 429 and 'name="code"' not in answer.text
    ask(other).close()
    assert SystemMessage.select().count() == 0
