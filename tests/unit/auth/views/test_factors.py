"""The pages of factors: setting up an app, recovery codes, removing; each asks for a factor again first."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from datetime import timedelta

import pyotp
import pytest

from tests.support.auth_app import PASSWORD, Browser, csrf
from webmail import audit
from webmail.auth.factors import authenticator, confirmation, recovery_codes, second_step
from webmail.auth.passwords.check_admission import TooBusyError
from webmail.models import Authenticator, GroupMember, PeopleGroup, RecoveryCode, Session, TrustedDevice, User, now

CONFIRM, TOTP, CODES, SECURITY = "/account/confirm", "/account/totp", "/account/recovery-codes", "/account"


@pytest.fixture
def signed_in(visitor):
    visitor.sign_in()
    return visitor


@pytest.fixture
def sure(signed_in):
    """Alice, who has just given her password again."""
    assert confirm(signed_in, password=PASSWORD).status_code == 303
    return signed_in


def confirm(browser, **fields):
    return browser.post(CONFIRM, fields, form_at=CONFIRM)


def key_of(page) -> str:
    return re.search(r"data-totp-key>([A-Z2-7 ]+)<", page.text)[1].replace(" ", "")


def set_up(browser, name="Phone"):
    """Add an app; returns its secret."""
    secret = key_of(browser.get(TOTP))
    response = browser.post(TOTP, {"code": pyotp.TOTP(secret).now(), "name": name}, form_at=TOTP)
    assert response.status_code == 303, response.text
    return secret


def fresh(secret):
    """A code of the app that was not used yet."""
    Authenticator.update(last_step=0).execute()
    return pyotp.TOTP(secret).at(time.time())


def codes_on(page):
    return re.findall(r"<li>([0-9a-z]{4}-[0-9a-z]{4}-[0-9a-z]{2})</li>", page.text)


# --- asking again -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [TOTP, CODES, f"{TOTP}/1/remove"])
def test_a_session_alone_changes_nothing(signed_in, path):
    response = signed_in.get(path)
    assert (response.status_code, response.location) == (302, f"{CONFIRM}?next={path}")


def test_who_has_no_factor_gives_the_password(signed_in):
    assert confirm(signed_in, password="wrong").status_code == 401
    assert signed_in.get(TOTP).status_code == 302
    response = confirm(signed_in, password=PASSWORD, next=TOTP)
    assert (response.status_code, response.location) == (303, TOTP)
    assert signed_in.get(TOTP).status_code == 200
    assert audit.search()[0][0].act == "confirmed"


def test_it_holds_for_ten_minutes(sure):
    Session.update(confirmed=now() - timedelta(minutes=11)).execute()
    assert sure.get(TOTP).location.startswith(CONFIRM)


def test_it_holds_for_this_session_alone(app, sure):
    other = Browser(app)
    other.sign_in()
    assert other.get(TOTP).location.startswith(CONFIRM)


def test_who_has_a_factor_gives_a_code_and_never_the_password(sure):
    secret = set_up(sure)
    Session.update(confirmed=None).execute()
    assert 'name="password"' not in sure.get(CONFIRM).text
    assert confirm(sure, password=PASSWORD).status_code == 401
    assert confirm(sure, code=fresh(secret)).status_code == 303


def test_guesses_are_limited(signed_in):
    answers = [confirm(signed_in, password="wrong").status_code for _ in range(11)]
    assert answers == [401] * 10 + [429]
    assert confirm(signed_in, password=PASSWORD).status_code == 429


def test_a_password_that_nobody_could_look_at_is_no_guess(signed_in, monkeypatch):
    def busy():
        raise TooBusyError

    with monkeypatch.context() as patch:
        patch.setattr(confirmation, "checking", busy)
        assert [confirm(signed_in, password=PASSWORD).status_code for _ in range(11)] == [503] * 11
    assert confirm(signed_in, password=PASSWORD).status_code == 303


@pytest.mark.parametrize("target", ["//evil.test", "https://evil.test/"])
def test_it_leads_nowhere_else(signed_in, target):
    assert confirm(signed_in, password=PASSWORD, next=target).location == SECURITY


def test_an_interrupted_form_is_sent_again_by_a_click(sure):
    secret = key_of(sure.get(TOTP))
    token = sure.get(TOTP).text
    Session.update(confirmed=None).execute()
    fields = {"name": "My <phone>", "code": "123456", "csrf_token": re.search(r'csrf_token"[^>]*value="([^"]+)', token)[1]}
    response = sure.client.post(TOTP, data=fields, base_url=sure.base, headers={"Referer": f"{sure.base}{TOTP}"})
    assert (response.status_code, response.location) == (303, f"{CONFIRM}?next={TOTP}")
    assert "123456" not in Session.get().data
    response = confirm(sure, password=PASSWORD, next=TOTP)
    page = sure.get(response.location)
    assert f'action="{TOTP}"' in page.text and 'name="name" value="My &lt;phone&gt;"' in page.text
    assert sure.get(response.location).location == TOTP  # once
    assert key_of(sure.get(TOTP)) == secret


def test_recovery_codes_of_an_interrupted_form_are_not_in_the_database(sure):
    set_up(sure)
    page = sure.get(CODES)
    codes, token = codes_on(page), csrf(page)
    Session.update(confirmed=now() - timedelta(minutes=11)).execute()
    sure.client.post(f"{CODES}/file", data={"csrf_token": token, "codes": codes}, base_url=sure.base)
    assert not [code for code in codes if code in Session.get().data]
    Session.update(confirmed=now()).execute()
    go_on = sure.get(CONFIRM).text
    assert f'action="{CODES}/file"' in go_on and all(f'value="{code}"' in go_on for code in codes)


def test_a_form_that_was_left_is_forgotten_when_something_else_is_asked_for(sure):
    set_up(sure)
    token = csrf(sure.get(CODES))
    Session.update(confirmed=None).execute()
    sure.client.post(CODES, data={"csrf_token": token}, base_url=sure.base)  # new codes, and then the page is left
    assert sure.get(TOTP).status_code == 302
    Session.update(confirmed=now()).execute()
    assert sure.get(f"{CONFIRM}?next={TOTP}").location == TOTP


def test_a_foreign_form_is_not_sent_again(signed_in):
    signed_in.client.post(TOTP, data={"name": "evil", "csrf_token": "forged"}, base_url=signed_in.base)
    response = confirm(signed_in, password=PASSWORD, next=TOTP)
    assert response.location == TOTP


# --- an app -----------------------------------------------------------------------------------------------------------


def test_an_app_is_set_up(sure, alice):
    page = sure.get(TOTP)
    assert "<svg" in page.text and "otpauth://totp/Traboule:alice" in page.text
    set_up(sure)
    assert User.get_by_id(alice.id).second_step == 1
    assert "Phone" in sure.get(SECURITY).text
    assert {"factor-added", "recovery-codes-made"} <= {entry.act for entry in audit.search()[0]}


def test_its_name_is_one_line_without_tricks(sure):
    set_up(sure, "My\n\u202ephone\0" + "x" * 100)
    name = Authenticator.get().name
    assert name.startswith("My phone x") and len(name) <= 60


def test_the_key_stays_the_same_until_it_works(sure):
    first = key_of(sure.get(TOTP))
    response = sure.post(TOTP, {"code": "123456", "name": "Tablet"}, form_at=TOTP)
    assert response.status_code == 422 and key_of(response) == first == key_of(sure.get(TOTP))
    assert 'value="Tablet"' in response.text and "This code is not right" in response.text


def test_the_key_is_not_shown_once_it_works(sure):
    secret = set_up(sure)
    assert key_of(sure.get(TOTP)) != secret and secret not in Session.get().data


def test_the_code_that_set_it_up_is_used_up(app, sure):
    secret = set_up(sure)
    other = Browser(app)
    other.sign_in()
    used = pyotp.TOTP(secret).at(Authenticator.get().last_step * 30)
    assert other.post("/login/code", {"code": used}, form_at="/login/code").status_code == 401


def test_other_browsers_are_signed_out_and_trusted_no_more(app, sure, alice, settings):
    other = Browser(app)
    other.sign_in()
    TrustedDevice.create(token_hash="0" * 64, user=alice, expires=now() + timedelta(days=1))
    set_up(sure)
    assert other.get("/mailbox/INBOX").status_code == 302
    assert sure.get("/mailbox/INBOX").status_code == 200
    assert not TrustedDevice.select().exists()


def test_there_is_a_limit(sure, alice, settings):
    with second_step.changing(alice):
        for _ in range(authenticator.MOST):
            authenticator.add(alice, "x", authenticator.new_secret(), 0, settings)
    assert "data-totp-key" not in sure.get(TOTP).text


# --- removing ---------------------------------------------------------------------------------------------------------


def removing(name="Phone"):
    return f"{TOTP}/{Authenticator.get(Authenticator.name == name).id}/remove"


def test_one_of_two_is_removed(sure, alice):
    set_up(sure)
    set_up(sure, "Tablet")
    assert "turns off two-step verification" not in sure.get(removing("Tablet")).text
    assert sure.post(removing("Tablet"), form_at=removing("Tablet")).location == SECURITY
    assert [app.name for app in authenticator.for_user(alice)] == ["Phone"]
    assert RecoveryCode.select().exists()
    assert "factor-removed" in {entry.act for entry in audit.search()[0]}


def test_before_the_last_one_goes_the_page_says_what_that_means(sure, alice):
    set_up(sure)
    assert "turns off two-step verification" in sure.get(removing()).text
    sure.post(removing(), form_at=removing())
    assert User.get_by_id(alice.id).second_step == 0 and not RecoveryCode.select().exists()


def test_nobody_sees_or_removes_the_app_of_somebody_else(sure, bob, settings):
    with second_step.changing(bob):
        authenticator.add(bob, "Bob’s", authenticator.new_secret(), 0, settings)
    assert sure.get(removing("Bob’s")).status_code == 404
    assert sure.post(removing("Bob’s"), form_at=TOTP).status_code == 404
    assert User.get_by_id(bob.id).second_step == 1


# --- recovery codes ---------------------------------------------------------------------------------------------------


def test_the_first_factor_brings_codes_that_are_shown_once(sure, alice, settings):
    set_up(sure)
    shown = codes_on(sure.get(CODES))
    assert len(shown) == 10 and recovery_codes.are_of(alice, shown, settings)
    again = sure.get(CODES)
    assert not codes_on(again) and "10 recovery codes left" in again.text
    assert not any(code in Session.get().data for code in shown)


def test_a_second_factor_brings_none(sure):
    set_up(sure)
    sure.get(CODES)
    set_up(sure, "Tablet")
    assert not codes_on(sure.get(CODES))


def test_new_codes_replace_the_old_ones(sure, alice, settings):
    set_up(sure)
    old = codes_on(sure.get(CODES))
    assert sure.post(CODES, form_at=CODES).location == CODES
    new = codes_on(sure.get(CODES))
    assert len(new) == 10 and not recovery_codes.accept(alice, old[0], settings)


def test_they_are_saved_as_a_file(sure):
    set_up(sure)
    shown = codes_on(sure.get(CODES))
    response = sure.post(f"{CODES}/file", {"codes": shown}, form_at=CODES)
    assert response.mimetype == "text/plain" and "attachment" in response.headers["Content-Disposition"]
    assert all(code in response.text for code in shown) and "alice@lycee.example" in response.text


def test_a_file_of_anything_else_is_refused(sure):
    set_up(sure)
    assert sure.post(f"{CODES}/file", {"codes": ["0000-0000-00"]}, form_at=CODES).status_code == 404
    assert sure.post(f"{CODES}/file", {"codes": ["<script>"]}, form_at=CODES).status_code == 404


def test_without_a_factor_there_are_none(sure):
    assert sure.get(CODES).location == SECURITY
    assert sure.post(CODES, form_at=TOTP).location == SECURITY and not RecoveryCode.select().exists()


# --- requirement ------------------------------------------------------------------------------------------------------


@pytest.fixture
def require(app):
    def change(whom, days=14):
        settings = app.extensions["settings"]
        app.extensions["settings"] = replace(settings, second_step_for=whom, second_step_grace_days=days)

    return change


def test_the_days_begin_with_the_first_sign_in(signed_in, app, alice, require):
    assert User.get_by_id(alice.id).second_step_due is None
    require("all")
    other = Browser(app)
    other.sign_in()
    assert "14 days left" in other.get(SECURITY).text and "within 14 days" in other.get(SECURITY).text
    due = User.get_by_id(alice.id).second_step_due
    Browser(app).sign_in()
    assert User.get_by_id(alice.id).second_step_due == due


def test_after_them_nothing_is_shown_before_there_is_a_factor(app, alice, require):
    require("all", days=0)
    browser = Browser(app)
    browser.sign_in()
    assert browser.get("/mailbox/INBOX").location.startswith(SECURITY)
    assert "requires two-step verification" in browser.get(SECURITY).text
    browser.post("/account/confirm", {"password": PASSWORD}, form_at="/account/confirm")
    set_up(browser)
    assert len(codes_on(browser.get(CODES))) == 10
    assert browser.get("/mailbox/INBOX").status_code == 200


def test_it_ends_with_the_requirement(app, alice, require):
    require("all", days=0)
    Browser(app).sign_in()
    require("")
    browser = Browser(app)
    browser.sign_in()
    assert User.get_by_id(alice.id).second_step_due is None and browser.get("/mailbox/INBOX").status_code == 200


def test_it_ends_at_once_for_who_is_held_up_by_it(app, require):
    require("all", days=0)
    browser = Browser(app)
    browser.sign_in()
    require("")
    assert "requires two-step verification" not in browser.get(SECURITY).text
    assert browser.get("/mailbox/INBOX").status_code == 200


@pytest.mark.parametrize(("whom", "required"), [("admin", False), ("maths", True), ("music, maths", True), ("music", False)])
def test_it_is_for_a_role_or_a_group(app, alice, require, whom, required):
    group = PeopleGroup.create(identifier="maths", name="Maths", sort="maths", domain="lycee.example")
    GroupMember.create(group=group, user=alice)
    require(whom)
    Browser(app).sign_in()
    assert (User.get_by_id(alice.id).second_step_due is not None) is required


def test_administrators_may_be_required_alone(app, alice, require):
    User.update(role="admin").where(User.id == alice.id).execute()
    require("admin")
    Browser(app).sign_in()
    assert User.get_by_id(alice.id).second_step_due is not None


# --- what the page says -----------------------------------------------------------------------------------------------


def test_where_the_mail_server_checks_passwords_the_page_says_what_is_protected(settings, signed_in):
    signed_in.app.extensions["settings"] = replace(settings, sign_in="imap")
    assert "protects these pages only" in signed_in.get(SECURITY).text


def test_it_names_what_there_is(sure):
    set_up(sure, "Phone <b>")
    text = sure.get(SECURITY).text
    assert "Phone &lt;b&gt;" in text and "10 codes left" in text and "last used" in text
