"""The second step at sign-in: nothing is open before it, and what was wanted is there after it."""

from __future__ import annotations

import time

import pyotp
import pytest

from tests.support.auth_app import PASSWORD, Browser
from webmail import audit
from webmail.auth.factors import authenticator, recovery_codes, second_step
from webmail.auth.sign_in import waiting_lines
from webmail.models import Session, TrustedDevice, now

PAGE = "/login/code"


@pytest.fixture
def secret(alice, settings):
    found = authenticator.new_secret()
    with second_step.changing(alice):
        authenticator.add(alice, "Phone", found, 0, settings)
    return found


@pytest.fixture
def codes(alice, secret, settings):
    with second_step.changing(alice):
        return recovery_codes.make(alice, settings)


@pytest.fixture
def asked(visitor, codes):
    """Alice's password was right."""
    assert visitor.sign_in().location == PAGE
    return visitor


def give(browser, code, **more):
    return browser.post(PAGE, {"code": code, **more}, form_at=PAGE)


def app_code(secret):
    return pyotp.TOTP(secret).at(time.time())


def test_the_password_alone_opens_nothing(asked):
    for path in ("/mailbox/INBOX", "/sessions", "/account/password"):
        assert asked.get(path).location.startswith("/login")
    assert asked.get("/login").status_code == 200
    assert asked.cookie("__Host-traboule-known") is None


def test_the_code_of_the_app_signs_in(asked, secret):
    response = give(asked, app_code(secret))
    assert (response.status_code, response.location) == (303, "/mailbox/INBOX")
    assert repr(PASSWORD) in asked.get("/mailbox/INBOX").text
    assert asked.cookie("__Host-traboule-known") is not None
    assert audit.search()[0][0].act == "sign-in"


def test_a_recovery_code_signs_in_once(app, asked, codes):
    assert give(asked, codes[0]).status_code == 303
    assert "recovery-code-used" in {entry.act for entry in audit.search()[0]}
    other = Browser(app)
    other.sign_in()
    assert give(other, codes[0]).status_code == 401


def test_the_session_has_a_new_token_after_it(asked, codes):
    before = asked.cookie().value
    give(asked, codes[0])
    assert asked.cookie().value != before and Session.select().count() == 1


def test_a_wrong_code_says_so_and_keeps_the_way(visitor, codes):
    visitor.sign_in(next="/mailbox/INBOX?page=2")
    response = visitor.post(PAGE, {"code": "123456", "next": "/mailbox/INBOX?page=2"}, form_at=PAGE)
    assert response.status_code == 401 and "This code is not right" in response.text
    assert 'value="/mailbox/INBOX?page=2"' in response.text and "123456" not in response.text
    assert audit.search()[0][0].act == "second-step-refused"
    assert visitor.get("/mailbox/INBOX").status_code == 302


def test_after_it_one_is_where_one_wanted_to_go(visitor, codes):
    assert visitor.sign_in(next="/mailbox/INBOX?page=2").location == f"{PAGE}?next=/mailbox/INBOX?page%3D2"
    assert 'value="/mailbox/INBOX?page=2"' in visitor.get(f"{PAGE}?next=/mailbox/INBOX?page%3D2").text
    assert give(visitor, codes[0], next="/mailbox/INBOX?page=2").location == "/mailbox/INBOX?page=2"


@pytest.mark.parametrize("target", ["//evil.test", "https://evil.test/", "/\\evil.test"])
def test_it_leads_nowhere_else(asked, codes, target):
    assert give(asked, codes[0], next=target).location == "/mailbox/INBOX"


def test_too_many_guesses(asked, secret, codes):
    answers = [give(asked, "123456").status_code for _ in range(11)]
    assert answers == [401] * 10 + [429]
    response = give(asked, app_code(secret))
    assert response.status_code == 429 and int(response.headers["Retry-After"]) > 0
    assert "A recovery code works right away." in response.text
    assert give(asked, codes[0]).status_code == 303


def test_guesses_elsewhere_do_not_keep_the_owner_out(app, asked, secret, codes):
    give(asked, codes[0])
    asked.post("/logout", form_at="/devices")
    thief = Browser(app)
    thief.sign_in()
    for _ in range(11):
        give(thief, "123456")
    asked.sign_in()
    assert give(asked, app_code(secret)).status_code == 303


def test_nor_on_a_new_browser_that_waits(app, asked, secret, monkeypatch):
    clock = [time.time()]
    monkeypatch.setattr(waiting_lines.time, "time", lambda: clock[0])
    thief = Browser(app)
    thief.sign_in()
    for _ in range(20):
        give(thief, "123456")
    told = give(asked, app_code(secret))
    assert told.status_code == 429 and told.headers["Retry-After"] == "5" and "again in 5 seconds" in told.text
    for _ in range(12):  # the thief never waits
        clock[0] += 0.5
        assert give(thief, "123456").status_code == 429
    assert give(asked, app_code(secret)).status_code == 303


def test_who_is_half_signed_in_is_led_to_the_code_from_every_page(asked, codes):
    assert asked.get("/mailbox/INBOX?page=2").location == f"{PAGE}?next=/mailbox/INBOX?page%3D2"
    assert asked.get("/account").location == f"{PAGE}?next=/account"
    answer = asked.get("/devices", headers={"HX-Request": "true"})
    assert answer.headers["HX-Redirect"] == PAGE


def test_what_was_chosen_with_the_password_still_holds(visitor, codes):
    visitor.sign_in(shared="y")
    give(visitor, codes[0])
    row = Session.get()
    assert row.shared and not row.pending


def test_the_text_that_was_being_written_comes_along(visitor, codes):
    visitor.sign_in(**{"kept-body": "Dear Bob", "next": "/mailbox/INBOX"})
    assert 'name="kept-body" value="Dear Bob"' in visitor.get(PAGE).text
    give(visitor, codes[0])
    assert "kept-sealed" in Session.get().data and "Dear Bob" not in Session.get().data


def test_who_is_too_late_starts_again_with_the_text(visitor, codes):
    visitor.sign_in(**{"kept-body": "Dear Bob", "next": "/mailbox/INBOX"})
    page = visitor.get(PAGE)
    Session.delete().execute()
    fields = {"code": codes[0], "kept-body": "Dear Bob", "next": "/mailbox/INBOX"}
    response = visitor.post(PAGE, fields, form_at="/login")
    assert page.status_code == 200 and response.status_code == 401
    assert 'name="kept-body" value="Dear Bob"' in response.text and 'name="password"' in response.text


def test_nobody_is_asked_without_a_password(visitor, codes):
    assert visitor.get(PAGE).location == "/login"
    assert visitor.post(PAGE, {"code": codes[0]}).status_code == 401


def test_a_foreign_form_does_nothing(asked, codes):
    response = asked.client.post(PAGE, data={"code": codes[0], "csrf_token": "forged"}, base_url=asked.base)
    assert response.status_code == 400 and recovery_codes.left(Session.get().user) == 10


def test_one_may_leave(asked):
    assert asked.post("/logout", form_at=PAGE).status_code == 303
    assert not Session.select().exists()


# --- trusted devices --------------------------------------------------------------------------------------------------


def sign_out(browser):
    browser.post("/logout", form_at="/devices")


def test_a_trusted_device_is_not_asked_again(asked, codes):
    give(asked, codes[0], trust="y")
    assert TrustedDevice.get().token_hash not in asked.cookie("__Host-traboule-trusted").value
    sign_out(asked)
    assert asked.sign_in().location == "/mailbox/INBOX"
    assert "device-trusted" in {entry.act for entry in audit.search()[0]}


def test_another_browser_is_asked(app, asked, codes):
    give(asked, codes[0], trust="y")
    assert Browser(app).sign_in().location == PAGE


def test_without_a_choice_nothing_is_trusted(asked, codes):
    give(asked, codes[0])
    assert asked.cookie("__Host-traboule-trusted") is None and not TrustedDevice.select().exists()


def test_a_shared_computer_is_never_trusted(visitor, codes):
    visitor.sign_in(shared="y")
    assert 'name="trust"' not in visitor.get(PAGE).text
    give(visitor, codes[0], trust="y")
    assert not TrustedDevice.select().exists()


def test_a_trusted_browser_is_asked_where_it_is_shared_now(asked, codes):
    give(asked, codes[0], trust="y")
    sign_out(asked)
    assert asked.sign_in(shared="y").location == PAGE


def test_trust_ends(asked, codes):
    give(asked, codes[0], trust="y")
    sign_out(asked)
    TrustedDevice.update(expires=now()).execute()
    assert asked.sign_in().location == PAGE


def test_trust_is_for_one_person(asked, bob, codes, settings):
    give(asked, codes[0], trust="y")
    sign_out(asked)
    with second_step.changing(bob):
        authenticator.add(bob, "", authenticator.new_secret(), 0, settings)
    assert asked.sign_in("bob").location == PAGE
