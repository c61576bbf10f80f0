"""A code by e-mail at the second step: only to the confirmed recovery address, and typed where the others are."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from tests.support.auth_app import Browser, build
from webmail import audit, system_mail
from webmail.auth.factors import authenticator, second_step
from webmail.models import MailedCode, Session, SystemMessage, User

PAGE, OUTSIDE = "/login/code", "marie@gmail.example"


@pytest.fixture
def settings(settings):
    return replace(settings, system_address="Lycée <pages@lycee.example>", system_password="x", vouchers=False)


@pytest.fixture
def with_app(alice, settings):
    with second_step.changing(alice):
        authenticator.add(alice, "Phone", authenticator.new_secret(), 0, settings)
    User.update(recovery_address=OUTSIDE).execute()


@pytest.fixture
def asked(visitor, with_app):
    """Alice's password was right."""
    assert visitor.sign_in(next="/mailbox/Sent").location == f"{PAGE}?next=/mailbox/Sent"
    return visitor


def ask(browser, **fields):
    return browser.post(f"{PAGE}/mail", {"next": "/mailbox/Sent", **fields}, form_at=PAGE)


_here: dict[str, str] = {}


@pytest.fixture(autouse=True)
def _know_the_secret(settings):
    """Of this test's installation: texts with codes are sealed with it."""
    _here["secret"] = settings.secret_key


def mailed() -> str:
    row = SystemMessage.select().where(SystemMessage.kind == "code").order_by(SystemMessage.id.desc()).get()
    return re.search(r"^ +(\d{6})$", system_mail.text_of(row, _here["secret"]), re.M)[1]


def test_it_is_offered_and_the_address_is_not_told_whole(asked):
    shown = asked.get(PAGE).text
    assert "Send me a code by email" in shown and "m…@g….example" in shown and OUTSIDE not in shown
    assert "The 6 digits that your app shows or that we email you" in shown


def test_it_signs_in(asked, alice):
    assert ask(asked).location == f"{PAGE}?next=/mailbox/Sent"
    assert "We sent a code to m…@g….example." in asked.get(PAGE).text
    row = SystemMessage.get(kind="code")
    assert row.recipient == OUTSIDE and mailed() not in row.subject + row.body
    assert alice.address in system_mail.text_of(row, _here["secret"])
    assert asked.get("/mailbox/Sent").status_code == 302
    response = asked.post(PAGE, {"code": mailed(), "next": "/mailbox/Sent"}, form_at=PAGE)
    assert response.location == "/mailbox/Sent"
    assert asked.get("/mailbox/Sent").status_code == 200
    acts = [entry.act for entry in audit.search()[0]]
    assert "code-mailed" in acts and "sign-in" in acts


def test_a_wrong_one_does_not(asked):
    ask(asked)
    wrong = f"{(int(mailed()) + 1) % 1_000_000:06}"
    assert asked.post(PAGE, {"code": wrong}, form_at=PAGE).status_code in (401, 403)
    assert MailedCode.get().tries == 1


def test_one_that_was_sent_to_an_address_that_is_theirs_no_more(asked):
    ask(asked)
    User.update(recovery_address="other@ailleurs.example").execute()
    assert asked.post(PAGE, {"code": mailed()}, form_at=PAGE).status_code in (401, 403)


@pytest.mark.parametrize("changed", [{"system_address": ""}, {"recovery_address": "off"}])
def test_where_it_can_not_be(settings, with_app, changed):
    browser = Browser(build(replace(settings, **changed)))
    browser.sign_in()
    assert "by email" not in browser.get(PAGE).text
    assert ask(browser).status_code == 404


def test_nobody_without_a_recovery_address(asked):
    User.update(recovery_address="").execute()
    assert "by email" not in asked.get(PAGE).text
    assert ask(asked).status_code == 404
    assert SystemMessage.select().where(SystemMessage.kind == "code").count() == 0


def test_nobody_whose_password_was_not_right(app):
    browser = Browser(app)
    assert browser.post(f"{PAGE}/mail", form_at="/login").location == "/login"


def test_five_an_hour(asked):
    for _ in range(5):
        ask(asked)
    ask(asked)
    assert "already sent several codes" in asked.get(PAGE).text
    assert SystemMessage.select().where(SystemMessage.kind == "code").count() == 5


def test_it_confirms_a_change_too(asked):
    ask(asked)
    asked.post(PAGE, {"code": mailed()}, form_at=PAGE)
    back = asked.post("/account/confirm/mail", {"next": "/account/recovery"}, form_at="/account/confirm")
    assert back.location == "/account/confirm?next=/account/recovery"
    given = asked.post("/account/confirm", {"code": mailed(), "next": "/account/recovery"}, form_at="/account/confirm")
    assert given.location == "/account/recovery"
    assert Session.get().confirmed is not None
