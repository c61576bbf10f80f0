"""Codes by e-mail as a factor of their own: turned on and off, mailed once the password was right, never a dead end."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.support.auth_app import PASSWORD, Browser, build
from webmail import audit, system_mail
from webmail.auth.factors import authenticator, second_step
from webmail.models import MailedCode, RecoveryCode, Session, SystemMessage, User, now

PAGE, DOOR, CONFIRM, CODES, SECURITY = (
    "/account/mail-codes",
    "/login/code",
    "/account/confirm",
    "/account/recovery-codes",
    "/account",
)
OUTSIDE = "marie@gmail.example"


@pytest.fixture
def settings(settings):
    return replace(settings, system_address="Lycée <pages@lycee.example>", vouchers=False)


@pytest.fixture
def reachable(alice):
    User.update(recovery_address=OUTSIDE).where(User.id == alice.id).execute()
    return User.get_by_id(alice.id)


@pytest.fixture
def sure(visitor, reachable):
    """Alice, who has a recovery address and has just given her password again."""
    return signed_in(visitor)


@pytest.fixture
def on(reachable):
    """Alice, who has codes by e-mail and nothing else."""
    assert second_step.turn_mail_on(reachable)
    return reachable


def signed_in(browser):
    browser.sign_in()
    Session.update(confirmed=now()).execute()
    return browser


def mailed(settings) -> list[str]:
    """The codes that were mailed, the first one first."""
    rows = SystemMessage.select().where(SystemMessage.kind == "code").order_by(SystemMessage.id)
    return [re.search(r"^ +(\d{6})$", system_mail.text_of(row, settings.secret_key), re.M)[1] for row in rows]


def turn(browser, action, **fields):
    return browser.post(PAGE, {"action": action, **fields}, form_at=PAGE)


def fresh(alice):
    return User.get_by_id(alice.id)


# --- on and off -------------------------------------------------------------------------------------------------------


def test_it_is_turned_on_like_any_factor(app, sure, alice):
    other = signed_in(Browser(app))
    assert OUTSIDE in sure.get(PAGE).text
    assert turn(sure, "on").location == CODES
    assert (fresh(alice).mailed_step, fresh(alice).second_step) == (1, 1)
    assert 'data-factor="mail"' in sure.get(SECURITY).text
    assert len(re.findall(r"<li>[0-9a-z]{4}-", sure.get(CODES).text)) == 10
    assert other.get("/mailbox/INBOX").status_code == 302, "other browsers are signed out"
    entry = next(one for one in audit.search()[0] if one.act == "factor-added")
    assert (entry.target, audit.details_of(entry)["factor"]) == (OUTSIDE, "mail")
    told = SystemMessage.select().where(SystemMessage.kind == "security")
    assert {(row.recipient, row.subject) for row in told} == {
        (alice.address, "Codes by email are turned on"), (OUTSIDE, "Codes by email are turned on")
    }  # fmt: skip


def test_a_factor_is_asked_for_first(visitor, reachable):
    visitor.sign_in()
    assert visitor.get(PAGE).location == f"{CONFIRM}?next={PAGE}"
    assert visitor.post(PAGE, {"action": "on"}, form_at=CONFIRM).location.startswith(CONFIRM)
    assert not fresh(reachable).mailed_step


def test_without_a_recovery_address_it_leads_to_one_and_back(visitor, alice, settings):
    browser = signed_in(visitor)
    address = re.search(r'href="(/account/recovery[^"]+)"', browser.get(f"{PAGE}?next=/mailbox/Sent").text)[1].replace(
        "&amp;", "&"
    )
    shown = browser.get(address)
    back = re.search(r'name="next"[^>]*value="([^"]*)"', shown.text)[1]
    fields = {"first": "1", "next": back}
    waiting = browser.post("/account/recovery", {"address": OUTSIDE, **fields}, form_at=address).location
    given = browser.post("/account/recovery/code", {"code": mailed(settings)[-1], **fields}, form_at=waiting)
    assert given.location == f"{PAGE}?next=/mailbox/Sent"
    assert OUTSIDE in browser.get(given.location).text and not fresh(alice).mailed_step
    assert turn(browser, "on", next="/mailbox/Sent").location == f"{CODES}?next=/mailbox/Sent"


def test_without_a_recovery_address_it_is_not_turned_on(visitor, alice):
    signed_in(visitor).post(PAGE, {"action": "on"}, form_at="/account/password")
    assert (fresh(alice).mailed_step, fresh(alice).second_step) == (0, 0)


def test_turned_off_the_password_alone_signs_in_again(sure, alice):
    turn(sure, "on")
    assert "They are your only second step." in sure.get(PAGE).text
    assert turn(sure, "off").location == SECURITY
    assert (fresh(alice).mailed_step, fresh(alice).second_step) == (0, 0) and not RecoveryCode.select().exists()
    assert "factor-removed" in {one.act for one in audit.search()[0]}


def test_twice_is_once(sure):
    turn(sure, "on")
    assert turn(sure, "on").location == SECURITY
    assert sum(one.act == "factor-added" for one in audit.search()[0]) == 1


@pytest.mark.parametrize("changed", [{"system_address": ""}, {"recovery_address": "off"}, {"mailed_second_step": False}])
def test_where_it_is_not_offered(settings, reachable, changed):
    browser = signed_in(Browser(build(replace(settings, **changed))))
    assert "Codes by email" not in browser.get(SECURITY).text
    assert browser.get(PAGE).status_code == 404
    assert browser.post(PAGE, {"action": "on"}, form_at="/account/password").status_code == 404
    assert not fresh(reachable).mailed_step


# --- the address goes -------------------------------------------------------------------------------------------------


def test_with_the_address_the_factor_goes(sure, alice):
    turn(sure, "on")
    assert "two-step verification is turned off" in sure.get("/account/recovery").text
    sure.post("/account/recovery/remove", form_at="/account/recovery")
    assert (fresh(alice).recovery_address, fresh(alice).mailed_step, fresh(alice).second_step) == ("", 0, 0)
    assert {"factor-removed", "recovery-address-removed"} <= {one.act for one in audit.search()[0]}


def test_a_new_address_is_not_one_before_it_is_confirmed(app, sure, alice, settings):
    turn(sure, "on")
    sure.post("/account/recovery", {"address": "new@ailleurs.example"}, form_at="/account/recovery?change=1")
    assert (fresh(alice).recovery_address, fresh(alice).mailed_step) == (OUTSIDE, 1)
    Session.create(id_hash="elsewhere", user=alice)
    sure.post("/account/recovery/code", {"code": mailed(settings)[-1]}, form_at="/account/recovery")
    assert (fresh(alice).recovery_address, fresh(alice).mailed_step) == ("new@ailleurs.example", 1)
    assert Session.select().count() == 1, "where codes go is a factor: other browsers are signed out"


def test_what_can_not_be_used_is_not_what_is_left(settings, on):
    with second_step.changing(on):
        app = authenticator.add(on, "Phone", authenticator.new_secret(), 0, settings)
    browser = Browser(build(replace(settings, system_address="")))
    browser.sign_in()
    Session.update(pending=False, confirmed=now()).execute()
    removing = f"/account/totp/{app.id if app else 1}/remove"
    assert "turns off two-step verification" in browser.get(removing).text
    browser.post(removing, form_at=removing)
    assert (fresh(on).mailed_step, fresh(on).second_step) == (0, 0)


# --- at the door ------------------------------------------------------------------------------------------------------


def test_the_code_is_mailed_with_the_page_and_signs_in(visitor, on, settings):
    assert visitor.sign_in(next="/mailbox/Sent").location == f"{DOOR}?next=/mailbox/Sent"
    shown = visitor.get(DOOR).text
    assert "We sent a code to m…@g….example" in shown and OUTSIDE not in shown and "app shows" not in shown
    visitor.get(DOOR)
    assert len(mailed(settings)) == 1, "not again when the page is loaded again"
    assert SystemMessage.get(kind="code").recipient == OUTSIDE
    given = visitor.post(DOOR, {"code": mailed(settings)[0], "next": "/mailbox/Sent"}, form_at=DOOR)
    assert given.location == "/mailbox/Sent" and visitor.get("/mailbox/Sent").status_code == 200


def test_nobody_is_mailed_a_code_for_a_wrong_password(visitor, on, settings):
    visitor.sign_in(password="wrong")
    assert mailed(settings) == []


def test_signing_in_again_sends_none_while_one_is_on_its_way(app, visitor, on, settings):
    visitor.sign_in()
    Browser(app).sign_in()
    assert len(mailed(settings)) == 1
    MailedCode.update(created=now() - timedelta(minutes=16)).execute()
    assert "We sent a code" not in visitor.get(DOOR).text
    Browser(app).sign_in()
    assert len(mailed(settings)) == 2


def test_a_code_is_sent_again_by_a_button(visitor, on, settings):
    visitor.sign_in()
    assert "Send another code" in visitor.get(DOOR).text
    visitor.post(f"{DOOR}/mail", form_at=DOOR)
    assert "We sent another code." in visitor.get(DOOR).text
    first, second = mailed(settings)
    if first != second:
        assert visitor.post(DOOR, {"code": first}, form_at=DOOR).status_code == 401
    assert visitor.post(DOOR, {"code": second}, form_at=DOOR).status_code == 303


def test_no_more_than_five_an_hour_and_the_page_says_so(visitor, on, settings):
    for _ in range(6):
        MailedCode.delete().execute()
        visitor.sign_in()
    assert len(mailed(settings)) == 5
    shown = visitor.get(DOOR).text
    assert "already sent several codes" in shown and "We sent a code" not in shown


def test_who_has_an_app_too_asks_for_the_code(visitor, on, settings):
    with second_step.changing(on):
        authenticator.add(on, "Phone", authenticator.new_secret(), 0, settings)
    visitor.sign_in()
    assert mailed(settings) == [] and "app shows" in visitor.get(DOOR).text


def test_a_trusted_browser_is_mailed_none(visitor, on, settings):
    visitor.sign_in()
    visitor.post(DOOR, {"code": mailed(settings)[0], "trust": "y"}, form_at=DOOR)
    visitor.post("/logout", form_at="/account/password")
    assert visitor.sign_in().location == "/mailbox/INBOX" and len(mailed(settings)) == 1


def test_who_has_it_keeps_it_where_it_is_allowed_no_more(settings, on):
    browser = Browser(build(replace(settings, mailed_second_step=False)))
    browser.sign_in()
    assert browser.post(DOOR, {"code": mailed(settings)[0]}, form_at=DOOR).location == "/mailbox/INBOX"
    assert 'data-factor="mail"' in browser.get(SECURITY).text


def test_where_no_mail_can_be_sent_the_page_says_what_is_left(settings, on):
    browser = Browser(build(replace(settings, system_address="")))
    assert browser.sign_in().location == DOOR
    assert "One of your recovery codes" in browser.get(DOOR).text


# --- before a change --------------------------------------------------------------------------------------------------


def test_a_change_is_confirmed_by_a_code_that_is_asked_for(visitor, on, settings):
    visitor.sign_in()
    visitor.post(DOOR, {"code": mailed(settings)[0]}, form_at=DOOR)
    shown = visitor.get(f"{CONFIRM}?next={PAGE}").text
    assert 'action="/account/confirm/mail"' in shown and len(mailed(settings)) == 1
    assert visitor.post(f"{CONFIRM}/mail", {"next": PAGE}, form_at=CONFIRM).location == f"{CONFIRM}?next={PAGE}"
    assert "We sent a code" in visitor.get(CONFIRM).text
    assert visitor.post(CONFIRM, {"code": mailed(settings)[1], "next": PAGE}, form_at=CONFIRM).location == PAGE
    assert visitor.get(PAGE).status_code == 200


# --- where a second step is required ----------------------------------------------------------------------------------


def test_after_the_days_of_grace_one_gets_in_with_a_private_address(settings, alice):
    """Without a smartphone and without a key, and asked for the password once."""
    browser = Browser(build(replace(settings, second_step_for="all", second_step_grace_days=0)))
    browser.sign_in()
    led = browser.get("/mailbox/Sent").location
    assert led == f"{SECURITY}?next=/mailbox/Sent"
    page = re.search(r'href="(/account/mail-codes[^"]*)"', browser.get(led).text)[1]
    browser.post(CONFIRM, {"password": PASSWORD}, form_at=CONFIRM)
    recovery = re.search(r'href="(/account/recovery[^"]+)"', browser.get(page).text)[1].replace("&amp;", "&")
    back = re.search(r'name="next"[^>]*value="([^"]*)"', browser.get(recovery).text)[1]
    fields = {"first": "1", "next": back}
    browser.post("/account/recovery", {"address": OUTSIDE, **fields}, form_at=recovery)
    back = browser.post("/account/recovery/code", {"code": mailed(settings)[-1], **fields}, form_at=recovery).location
    codes = browser.post(PAGE, {"action": "on", "next": "/mailbox/Sent"}, form_at=back).location
    shown = browser.get(codes).text
    assert 'href="/mailbox/Sent">I have saved them' in shown and len(re.findall(r"<li>[0-9a-z]{4}-", shown)) == 10
    assert browser.get("/mailbox/Sent").status_code == 200


def test_just_after_the_sign_in_the_password_is_asked_for_too(settings, alice):
    """Whoever copied the cookie a moment later would have a factor of the account, in the same network too."""
    browser = Browser(build(replace(settings, second_step_for="all", second_step_grace_days=0)))
    browser.sign_in()
    assert browser.get("/account/totp").location == f"{CONFIRM}?next=/account/totp"
    browser.post(CONFIRM, {"password": PASSWORD}, form_at=CONFIRM)
    assert browser.get("/account/totp").status_code == 200


def test_where_it_is_not_required_signing_in_is_not_enough(visitor, alice):
    visitor.sign_in()
    assert visitor.get("/account/totp").status_code == 302


@pytest.mark.parametrize("admin", ["", "help@lycee.example"])
def test_without_mail_the_page_names_what_is_left(settings, alice, admin):
    strict = replace(settings, second_step_for="all", second_step_grace_days=0, recovery_address="off", admin_address=admin)
    browser = Browser(build(strict))
    browser.sign_in()
    shown = browser.get(SECURITY).text
    assert "an app on a computer" in shown and "ask your administrator" in shown and admin in shown
    assert PAGE not in shown
