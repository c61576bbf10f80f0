"""Security keys in views: added, named and removed; asked for as the second step, before a change, and instead of a password."""

from __future__ import annotations

import html
import json
import re
import time
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.support.auth_app import Browser, build
from tests.support.webauthn_key import ORIGIN, WebauthnKey
from webmail import audit
from webmail.auth.factors import security_keys
from webmail.auth.sign_in import waiting_lines
from webmail.models import SecurityKey, Session, User, now

PAGE = "/account/keys"


@pytest.fixture
def settings(settings):
    return replace(settings, public_url=ORIGIN, token_key_file="key.pem", passkey_sign_in=True)


@pytest.fixture
def told(monkeypatch):
    """Mail about changes, as (address, notice, name)."""
    from webmail.auth.views.factors import factor_changes
    from webmail.auth.views.factors import security_keys as views

    sent: list[tuple[str, str, str]] = []
    for module in (factor_changes, views):
        monkeypatch.setattr(module, "tell", lambda user, notice, what="", **more: sent.append((user.address, notice.name, what)))
    return sent


@pytest.fixture
def signed_in(visitor):
    """Alice, who has just given her password again."""
    visitor.sign_in()
    Session.update(confirmed=now()).execute()
    return visitor


@pytest.fixture
def key(signed_in):
    """A key of Alice's, who is signed in."""
    mine = WebauthnKey()
    add(signed_in, mine)
    return mine


@pytest.fixture
def passkey(signed_in):
    mine = WebauthnKey(step=0, passkey=True)
    add(signed_in, mine, "Telephone")
    return mine


@pytest.fixture
def elsewhere(app):
    """Another browser."""
    return Browser(app)


def options_in(response) -> dict:
    found = re.search(r'data-options="([^"]+)"', response.text)
    assert found, response.text
    return json.loads(html.unescape(found[1]))


def add(browser, mine, name="Blue key", **changes):
    answer = mine.create(options_in(browser.get(PAGE)), **changes)
    return browser.post(PAGE, {"name": name, "key": answer}, form_at=PAGE)


def answer(browser, mine, at="/login/code", to="/login/code/key", more=None, **changes):
    """Answer the button of the page `at`."""
    return browser.post(to, {"key": mine.get(options_in(browser.get(at)), **changes), **(more or {})}, form_at=at)


def sign_in_by(browser, mine, more=None, **changes):
    """Sign in by a passkey alone."""
    browser.get("/login")
    asked = browser.get("/login/passkey/options").get_json()
    return browser.post("/login/passkey", {"key": mine.get(asked, **changes), **(more or {})})


def acts() -> list[tuple[str, str]]:
    return [(entry.act, entry.target) for entry in audit.search()[0]]


# --- the page of keys ------------------------------------------------------------------------------------------------


def test_the_page_asks_who_it_is_first(visitor):
    visitor.sign_in()
    assert visitor.get(PAGE).location.startswith("/account/confirm?next=/account/keys")
    assert visitor.post(PAGE, form_at="/account/confirm").location.startswith("/account/confirm")


def test_a_key_is_added_told_and_recorded(signed_in, elsewhere, alice, told):
    elsewhere.sign_in()
    response = add(signed_in, WebauthnKey())
    assert (response.status_code, response.location) == (303, "/account/recovery-codes")
    assert "Blue key" in signed_in.get(PAGE).text
    assert User.get_by_id(alice.id).second_step == 1
    assert told[0] == ("alice@lycee.example", "KEY_ADDED", "Blue key")
    assert ("factor-added", "Blue key") in acts()
    assert elsewhere.get("/mailbox/INBOX").status_code == 302
    assert signed_in.get("/mailbox/INBOX").status_code == 200


def test_a_key_without_a_name_gets_one(signed_in):
    add(signed_in, WebauthnKey(), name=" \t ")
    assert SecurityKey.get().name == "Security key"


def test_a_name_is_one_line_and_escaped(signed_in):
    add(signed_in, WebauthnKey(), name="<b>\r\nBlue\x00 key " + "x" * 100)
    assert SecurityKey.get().name.startswith("<b> Blue key xx") and len(SecurityKey.get().name) == 60
    assert "<b> Blue" not in signed_in.get(PAGE).text


def test_what_was_typed_stays_where_a_key_is_refused(signed_in):
    response = add(signed_in, WebauthnKey(), name="Blue key", origin="https://evil.example")
    assert response.status_code == 422
    assert 'value="Blue key"' in response.text and "can’t be used here" in response.text
    assert SecurityKey.select().count() == 0


def test_nothing_is_added_without_an_answer(signed_in):
    assert signed_in.post(PAGE, {"name": "Key"}, form_at=PAGE).status_code == 422


def test_a_key_that_somebody_has_is_not_added(signed_in, key):
    response = add(signed_in, key)
    assert response.status_code == 422 and "already in use" in response.text


def test_keys_are_renamed(signed_in, key):
    number = SecurityKey.get().id
    assert "Rename" in signed_in.get(PAGE).text
    page = f"{PAGE}?rename={number}"
    response = signed_in.post(f"{PAGE}/{number}/rename", {"name": "Red key"}, form_at=page)
    assert response.location == PAGE and SecurityKey.get().name == "Red key"
    response = signed_in.post(f"{PAGE}/{number}/rename", {"name": " "}, form_at=page)
    assert response.status_code == 422 and "Give the key a name" in response.text


def test_keys_are_removed_told_and_recorded(signed_in, key, alice, told):
    told.clear()
    page = f"{PAGE}/{SecurityKey.get().id}/remove"
    assert "turns off two-step verification" in signed_in.get(page).text
    assert signed_in.post(page, form_at=page).location == "/account"
    assert (SecurityKey.select().count(), User.get_by_id(alice.id).second_step) == (0, 0)
    assert told == [("alice@lycee.example", "KEY_REMOVED", "Blue key")]
    assert ("factor-removed", "Blue key") in acts()


def test_other_peoples_keys_are_nobodys(signed_in, key, bob, elsewhere):
    number = SecurityKey.get().id
    elsewhere.sign_in("bob")
    Session.update(confirmed=now()).execute()
    assert elsewhere.get(f"{PAGE}/{number}/remove").status_code == 404
    for what in ("remove", "rename"):
        assert elsewhere.post(f"{PAGE}/{number}/{what}", {"name": "Mine"}, form_at=PAGE).status_code == 404
    assert SecurityKey.get().name == "Blue key"


def test_there_is_a_most(signed_in, key, monkeypatch):
    monkeypatch.setattr(security_keys, "MOST", 1)
    response = signed_in.get(PAGE)
    assert "You can have 1 key" in response.text and "data-create" not in response.text


def test_without_an_address_of_our_own_no_key_is_offered_and_the_page_says_why(settings, alice):
    browser = Browser(build(replace(settings, public_url="http://mail.lycee.example")))
    browser.sign_in()
    Session.update(confirmed=now()).execute()
    response = browser.get(PAGE)
    assert response.status_code == 200 and "public_url" in response.text and "data-key" not in response.text
    assert "data-key" not in browser.get("/login").text
    assert browser.get("/login/passkey/options").status_code == 404


# --- the second step -------------------------------------------------------------------------------------------------


def test_a_key_is_the_second_step(elsewhere, key):
    assert elsewhere.sign_in().location.startswith("/login/code")
    response = answer(elsewhere, key, more={"next": "/mailbox/Sent"})
    assert (response.status_code, response.location) == (303, "/mailbox/Sent")
    assert elsewhere.get("/mailbox/INBOX").status_code == 200
    assert audit.details_of(audit.search(act="sign-in")[0][0])["factor"] == "key"


def test_a_key_can_make_a_device_trusted(app, elsewhere, key):
    elsewhere.sign_in()
    answer(elsewhere, key, more={"trust": "y"})
    assert elsewhere.cookie("__Host-traboule-trusted") is not None


@pytest.mark.parametrize("changes", [{"origin": "https://evil.example"}, {"challenge": "AAAA"}, {"present": False}])
def test_a_wrong_answer_leads_nowhere(elsewhere, key, changes):
    elsewhere.sign_in(next="/mailbox/Sent")
    response = answer(elsewhere, key, more={"next": "/mailbox/Sent"}, **changes)
    assert response.status_code == 401 and "Try again" in response.text
    assert 'value="/mailbox/Sent"' in response.text
    assert elsewhere.get("/mailbox/INBOX").status_code == 302
    assert ("second-step-refused", "alice@lycee.example") in acts()


def test_the_answer_for_one_session_is_none_of_another(app, elsewhere, key):
    elsewhere.sign_in()
    stolen = key.get(options_in(elsewhere.get("/login/code")))
    thief = Browser(app)
    thief.sign_in()
    assert thief.post("/login/code/key", {"key": stolen}, form_at="/login/code").status_code == 401


def test_an_answer_is_none_of_a_second_sign_in(app, elsewhere, key):
    elsewhere.sign_in()
    given = key.get(options_in(elsewhere.get("/login/code")))
    assert elsewhere.post("/login/code/key", {"key": given}, form_at="/login/code").status_code == 303
    elsewhere.post("/logout", form_at="/account/confirm")
    elsewhere.sign_in()
    assert elsewhere.post("/login/code/key", {"key": given}, form_at="/login/code").status_code == 401


def test_wrong_answers_are_counted(elsewhere, key, settings):
    elsewhere.sign_in()
    for _ in range(settings.sign_in_attempts):
        assert answer(elsewhere, key, challenge="AAAA").status_code == 401
    told = answer(elsewhere, key)
    assert (told.status_code, told.headers["Retry-After"]) == (429, "5")


def test_who_waits_as_told_has_a_turn_while_others_answer_wrongly(app, elsewhere, key, settings, monkeypatch):
    clock = [time.time()]
    monkeypatch.setattr(waiting_lines.time, "time", lambda: clock[0])
    stranger = Browser(app)
    for browser in (stranger, elsewhere):
        browser.sign_in()
    for _ in range(settings.sign_in_attempts):
        answer(stranger, key, challenge="AAAA")
    assert answer(elsewhere, key).status_code == 429
    for _ in range(12):
        clock[0] += 0.5
        assert answer(stranger, key, challenge="AAAA").status_code == 429
    assert answer(elsewhere, key).status_code == 303


def test_a_copy_of_a_key_is_told(elsewhere, key, told):
    elsewhere.sign_in()
    answer(elsewhere, key, count=7)
    elsewhere.post("/logout", form_at="/account/confirm")
    elsewhere.sign_in()
    told.clear()
    response = answer(elsewhere, key, count=7)
    assert response.status_code == 401 and "may be a copy" in response.text
    assert told == [("alice@lycee.example", "KEY_COPIED", "Blue key")]
    entry = audit.search(act="key-copied")[0][0]
    assert (entry.actor_address, entry.target) == ("alice@lycee.example", "Blue key")


def test_an_answer_without_a_password_before_it_asks_for_that(elsewhere, key):
    response = elsewhere.post("/login/code/key", {"key": "{}"})
    assert response.status_code == 401 and "sign in again" in response.text


def test_who_has_no_key_is_not_asked_for_one(app, alice, settings, visitor):
    from webmail.auth.factors import authenticator, second_step

    with second_step.changing(alice):
        authenticator.add(alice, "Phone", authenticator.new_secret(), 0, settings)
    visitor.sign_in()
    assert "data-key" not in visitor.get("/login/code").text


# --- before a change -------------------------------------------------------------------------------------------------


def test_a_key_confirms_before_a_change(signed_in, key):
    Session.update(confirmed=now() - timedelta(hours=1)).execute()
    at = signed_in.get(PAGE).location
    response = answer(signed_in, key, at, "/account/confirm/key", {"next": PAGE})
    assert response.location == PAGE
    assert signed_in.get(PAGE).status_code == 200
    assert "confirmed" in dict(acts())


def test_a_wrong_answer_confirms_nothing(signed_in, key):
    Session.update(confirmed=now() - timedelta(hours=1)).execute()
    at = signed_in.get(PAGE).location
    response = answer(signed_in, key, at, "/account/confirm/key", {"next": PAGE}, origin="https://evil.example")
    assert response.location == at
    assert "Try again" in signed_in.get(at).text
    assert signed_in.get(PAGE).status_code == 302


def test_the_answer_of_a_sign_in_confirms_nothing(app, elsewhere, signed_in, key):
    elsewhere.sign_in()
    given = key.get(options_in(elsewhere.get("/login/code")))
    Session.update(confirmed=None).execute()
    at = signed_in.get(PAGE).location
    assert signed_in.post("/account/confirm/key", {"key": given, "next": PAGE}, form_at=at).location == at


# --- instead of a password -------------------------------------------------------------------------------------------


def test_a_passkey_alone_signs_in(elsewhere, passkey):
    assert "data-key" in elsewhere.get("/login").text
    assert 'autocomplete="username webauthn"' in elsewhere.get("/login").text
    response = sign_in_by(elsewhere, passkey, {"next": "/mailbox/Sent"})
    assert (response.status_code, response.location) == (303, "/mailbox/Sent")
    assert "alice@lycee.example, password None" in elsewhere.get("/mailbox/INBOX").text
    signed_in = audit.search(act="sign-in")[0][0]
    assert audit.details_of(signed_in)["factor"] == "passkey"


def test_what_was_chosen_on_the_page_holds_for_a_passkey_too(elsewhere, passkey):
    sign_in_by(elsewhere, passkey, {"shared": "y", "kept-subject": "Half a letter", "next": "/compose"})
    row = Session.select().order_by(Session.created.desc()).first()
    assert row.shared is True
    assert "kept-sealed" in row.data and "Half a letter" not in row.data


def test_a_key_without_a_pin_does_not_sign_in_alone(elsewhere, passkey):
    response = sign_in_by(elsewhere, passkey, verified=False)
    assert response.status_code == 401 and "PIN" in response.text
    assert elsewhere.get("/mailbox/INBOX").status_code == 302
    assert ("sign-in-refused", "unknown") in acts()


def test_a_passkey_of_another_browsers_question_does_not_sign_in(app, elsewhere, passkey):
    elsewhere.get("/login")
    given = passkey.get(elsewhere.get("/login/passkey/options").get_json())
    assert Browser(app).post("/login/passkey", {"key": given}).status_code == 401
    assert elsewhere.post("/login/passkey", {"key": given}).status_code == 303


def test_a_passkey_takes_both_steps_at_once(elsewhere, passkey, alice):
    assert User.get_by_id(alice.id).second_step == 1
    assert sign_in_by(elsewhere, passkey).status_code == 303
    assert elsewhere.get("/mailbox/INBOX").status_code == 200


def test_where_it_is_not_allowed_a_passkey_alone_does_not_sign_in(settings, alice):
    browser = Browser(build(replace(settings, passkey_sign_in=False)))
    assert "data-key" not in browser.get("/login").text
    assert 'autocomplete="username"' in browser.get("/login").text
    assert browser.get("/login/passkey/options").status_code == 404
    assert browser.post("/login/passkey", {"key": "{}"}).status_code == 404


def test_asking_for_a_passkey_takes_no_query(elsewhere, settings, alice, queries):
    elsewhere.get("/login")
    queries.clear()
    assert elsewhere.get("/login/passkey/options").get_json()["userVerification"] == "required"
    assert queries == []
