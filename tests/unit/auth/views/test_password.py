"""The password page: changing it, and replacing a temporary one before anything else."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.support.auth_app import PASSWORD, Browser, build
from webmail import audit
from webmail.auth.passwords import hashing
from webmail.models import Session, User, now

NEW = "cheval pile agrafe nuage"
PAGE = "/account/password"


@pytest.fixture
def signed_in(visitor):
    visitor.sign_in()
    return visitor


@pytest.fixture
def newcomer(visitor, alice):
    """Alice with the password that the administrator gave her."""
    User.update(must_change=1).where(User.id == alice.id).execute()
    visitor.sign_in()
    return visitor


def change(browser, before=PASSWORD, new=NEW, again=NEW, **more):
    fields = {"password": before, "new_password": new, "new_password_again": again, **more}
    return browser.post(PAGE, fields, form_at=PAGE)


def test_the_password_is_changed(signed_in, alice):
    response = change(signed_in)
    assert (response.status_code, response.location) == (303, "/mailbox/INBOX")
    assert hashing.verify(User.get_by_id(alice.id).password, NEW)
    assert "Password changed." in signed_in.get("/devices").text
    assert audit.search()[0][0].act == "password-changed"


@pytest.mark.parametrize("helped", [True, False])
def test_who_was_helped_by_a_deputy_looks_what_else_opens_the_account(visitor, alice, helped):
    until = now() + timedelta(days=1) if helped else None
    User.update(must_change=1, temporary_until=until).where(User.id == alice.id).execute()
    visitor.sign_in()
    change(visitor)
    assert ("that all of this is yours" in visitor.get("/devices").text) is helped


def test_others_are_signed_out_and_this_browser_has_a_new_token(app, signed_in, alice):
    other, before = Browser(app), signed_in.cookie().value
    other.sign_in()
    change(signed_in)
    assert signed_in.cookie().value != before
    assert Session.select().where(Session.user == alice).count() == 1
    assert signed_in.get("/mailbox/INBOX").status_code == 200
    assert other.get("/mailbox/INBOX").status_code == 302


def test_where_mail_servers_ask_for_passwords_the_session_keeps_the_new_one(signed_in):
    change(signed_in)
    assert signed_in.get("/mailbox/INBOX").text.endswith(f"password {NEW!r}")


def test_a_shared_computer_stays_one(visitor):
    visitor.sign_in(shared="y")
    change(visitor)
    assert Session.get().shared


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"before": "wrong"}, "This is not your current password."),
        ({"again": "something else"}, "The two new passwords are not the same."),
        ({"new": PASSWORD, "again": PASSWORD}, "This is the password you have now."),
        ({"new": "motdepasse", "again": "motdepasse"}, "This is a common password"),
        ({"new": "x", "again": "x"}, "Use at least 10 characters"),
        ({"new": "", "again": ""}, "This password is empty"),
        ({"new": "alice@lycee.example", "again": "alice@lycee.example"}, "name are easy to guess"),
    ],
)
def test_what_is_refused_says_what_to_do(signed_in, alice, fields, words):
    response = change(signed_in, **fields)
    assert response.status_code == 422 and words in response.text
    assert hashing.verify(User.get_by_id(alice.id).password, PASSWORD)
    for secret in ("wrong", "something else", PASSWORD):
        assert f'value="{secret}"' not in response.text


def test_wrong_passwords_are_limited(app, signed_in, settings):
    for _ in range(settings.sign_in_attempts):
        change(signed_in, before="wrong")
    response = change(signed_in)
    assert response.status_code == 429 and int(response.headers["Retry-After"]) > 0
    assert Browser(app).sign_in().status_code == 303  # nobody is locked out by it


def test_the_strength_is_shown_while_one_types(signed_in):
    ask = lambda word: signed_in.post(f"{PAGE}/strength", {"new_password": word}, form_at=PAGE).text  # noqa: E731
    assert "<meter" in ask("motdepasse") and "common password" in ask("motdepasse")
    assert "Strong" in ask(NEW) and NEW not in ask(NEW)
    assert "<meter" not in ask("")


def test_signed_out_nothing_is_shown_or_changed(visitor, alice):
    assert visitor.get(PAGE).location.startswith("/login")
    response = visitor.post(PAGE, {"password": PASSWORD, "new_password": NEW, "new_password_again": NEW})
    assert response.status_code == 303 and hashing.verify(User.get_by_id(alice.id).password, PASSWORD)


def test_a_foreign_form_changes_nothing(signed_in, alice):
    fields = {"password": PASSWORD, "new_password": NEW, "new_password_again": NEW, "csrf_token": "forged"}
    response = signed_in.client.post(PAGE, data=fields, base_url=signed_in.base)
    assert response.status_code == 400 and hashing.verify(User.get_by_id(alice.id).password, PASSWORD)


def test_where_the_mail_server_keeps_passwords_the_page_says_so(settings, alice):
    app = build(replace(settings, sign_in="imap"))
    with app.test_client() as client:
        browser = Browser(app)
        browser.client = client
        app.extensions["settings"] = settings
        browser.sign_in()
        app.extensions["settings"] = replace(settings, sign_in="imap")
        assert "managed by the mail server" in browser.get(PAGE).text
        assert 'name="new_password"' not in browser.get(PAGE).text


# --- a temporary password ---------------------------------------------------------------------------------------------


def test_nothing_is_shown_before_it_is_changed(newcomer):
    for path in ("/mailbox/INBOX", "/devices", "/word"):
        assert newcomer.get(path).location.startswith(PAGE)
    assert newcomer.get("/mailbox/INBOX?page=2").location == f"{PAGE}?next=/mailbox/INBOX?page%3D2"
    assert newcomer.get("/healthz").status_code == 200
    assert "temporary" in newcomer.get(PAGE).text


def test_nothing_is_done_either(newcomer):
    response = newcomer.post("/mailbox/INBOX", form_at=PAGE)
    assert (response.status_code, response.location) == (303, PAGE)


def test_htmx_is_led_there_too(newcomer):
    response = newcomer.get("/mailbox/INBOX", headers={"HX-Request": "true"})
    assert response.headers["HX-Redirect"].startswith(PAGE) and response.status_code == 403


def test_after_the_change_one_is_where_one_wanted_to_go(newcomer):
    assert change(newcomer, next="/mailbox/INBOX?page=2").location == "/mailbox/INBOX?page=2"
    assert newcomer.get("/mailbox/INBOX").status_code == 200


@pytest.mark.parametrize("target", ["//evil.test", "https://evil.test/", "/\\evil.test", ""])
def test_it_leads_nowhere_else(newcomer, target):
    assert change(newcomer, next=target).location == "/mailbox/INBOX"


def test_the_same_one_is_no_change(newcomer):
    assert change(newcomer, new=PASSWORD, again=PASSWORD).status_code == 422
    assert newcomer.get("/mailbox/INBOX").location.startswith(PAGE)


def test_one_may_sign_out_instead(newcomer):
    assert newcomer.post("/logout", form_at=PAGE).status_code == 303
    assert not Session.select().exists()
