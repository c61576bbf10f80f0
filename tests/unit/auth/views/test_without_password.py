"""People whom a provider signs in, and of whom no password is kept here: what they see, and what they can set up all the same."""

from __future__ import annotations

import html
import json
import re
from dataclasses import replace
from typing import Any

import pyotp
import pytest

from tests.support.auth_app import PASSWORD, Browser, add, build, csrf
from tests.support.cas_server import FakeCas, cas_server
from tests.support.webauthn_key import WebauthnKey
from webmail.auth.passwords import hashing
from webmail.config import settings
from webmail.config.providers import Ldap
from webmail.models import AppPassword, LinkedAccount, Session, User, Voucher, now


@pytest.fixture
def server():
    with cas_server(alice={"mail": ["alice@lycee.example"], "displayName": ["Alice Martin"]}) as here:
        yield here


@pytest.fixture
def more() -> dict[str, Any]:
    """Settings besides."""
    return {}


@pytest.fixture
def app(tmp_path, database, server, more):
    given = {
        "sign_in": "accounts",
        "domain": "lycee.example",
        "database_url": database,
        "public_url": "https://mail.lycee.example",
    }
    (tmp_path / "instance").mkdir()
    (tmp_path / "instance" / "key").write_text("")
    entry = {"url": server.url, "title": "ENT Lyon", "create": True}
    values = {"cas": entry, **given, **more}
    return build(settings.load(tmp_path / "instance", token_key_file="key", **{k: v for k, v in values.items() if v is not None}))


@pytest.fixture
def alice(app, server) -> Browser:
    """Signed in by CAS for the first time."""
    browser = Browser(app)
    assert browser.get(server.sign_in(browser.get("/login/cas").location, "alice")).status_code == 303
    return browser


def confirm(browser: Browser, server: FakeCas, target: str) -> str:
    way = browser.get(f"/account/confirm/cas?next={target}").location
    return str(browser.get(server.sign_in(way, "alice")).location)


def words(answer) -> str:
    return re.sub(r"\s+", " ", re.sub("<[^>]*>", "", answer.text))


@pytest.mark.parametrize("more", [{"support": {"password_url": "https://ent.example/password"}}])
def test_the_password_page_says_who_keeps_it(alice):
    page = alice.get("/account/password")
    assert "Your password is managed by ENT Lyon" in words(page)
    assert 'href="https://ent.example/password"' in page.text and 'name="new_password"' not in page.text


def test_without_an_address_for_it_the_page_says_whom_to_ask(alice):
    assert "Ask your administrator how to change it." in words(alice.get("/account/password"))


@pytest.mark.parametrize("more", [{"sms": {"url": "console"}}])
def test_no_number_is_asked_for_where_another_keeps_the_password(app, alice):
    def shown() -> str:
        with app.test_request_context():
            return app.jinja_env.get_template("auth/_phone_section.html").render(current_user=User.get)

    assert shown().strip() == ""
    User.update(phone="+33612345678").execute()
    assert "Change telephone number" in shown()  # which they can still remove
    User.update(phone="", password=hashing.hash_password(PASSWORD)).execute()
    assert "Add a telephone number" in shown()


def test_and_changes_none(alice):
    fields = {"csrf_token": csrf(alice.get("/devices")), "password": "", "new_password": PASSWORD, "new_password_again": PASSWORD}
    assert alice.client.post("/account/password", data=fields, base_url=alice.base).status_code == 403
    assert User.get().password == ""


def test_nobody_signs_in_with_an_empty_password(app, alice):
    for password in ("", " ", "\x00"):
        assert Browser(app).sign_in(password=password).status_code == 401


def test_an_app_password_is_made_after_confirming_there(alice, server):
    assert alice.get("/account/confirm").status_code == 200
    fields = {"name": "Phone", "use": "imap"}
    asked = alice.post("/devices/new", fields, form_at="/devices")
    assert asked.location.startswith("/account/confirm")
    assert confirm(alice, server, "/devices") == "/account/confirm?next=/devices"  # the form waits to be sent again
    alice.post("/devices/new", fields, form_at="/devices")
    assert AppPassword.get().name == "Phone"


def test_an_authenticator_app_is_set_up_and_asked_for_after_the_provider(app, alice, server):
    assert alice.get("/account/totp").location == "/account/confirm?next=/account/totp"
    assert confirm(alice, server, "/account/totp") == "/account/totp"
    key = re.search(r"data-totp-key>([A-Z2-7 ]+)<", alice.get("/account/totp").text)[1].replace(" ", "")
    alice.post("/account/totp", {"name": "App", "code": pyotp.TOTP(key).now()}, form_at="/account/totp")
    assert User.get().second_step == 1
    other = Browser(app)
    assert other.get(server.sign_in(other.get("/login/cas").location, "alice")).location == "/login/code"
    page = alice.get("/account/confirm")  # it was confirmed just now
    Session.update(confirmed=None).execute()
    page = alice.get("/account/confirm")
    assert 'name="code"' in page.text and "Confirm with" not in page.text


def test_cas_confirms_nothing_for_who_has_a_second_step(alice, server):
    User.update(second_step=1).execute()
    assert confirm(alice, server, "/devices") == "/account/confirm?next=/devices"
    assert Session.get().confirmed is None


def test_where_there_is_a_directory_too_people_of_cas_still_confirm_there(app, alice):
    """The directory does not know them: it could check no password of theirs."""
    app.extensions["settings"] = replace(app.extensions["settings"], ldap=Ldap("ldap://127.0.0.1", "dc=lycee,dc=example"))
    page = alice.get("/account/confirm?next=/devices")
    assert "Confirm with ENT Lyon" in page.text and 'type="password"' not in page.text
    assert "managed by ENT Lyon" in words(alice.get("/account/password"))


def test_who_was_given_a_password_too_may_use_either(app, alice, server):
    """As by `flask accounts password`; the temporary password is not asked for where CAS signs in."""
    User.update(password=hashing.hash_password(PASSWORD), must_change=1).execute()
    assert alice.get("/word").status_code == 200
    other = Browser(app)
    assert other.sign_in().status_code == 303
    assert other.get("/word").location.startswith("/account/password")
    assert "The password you were given" in words(other.get("/account/password"))


def test_changing_that_password_keeps_what_cas_may_end(alice, server):
    before = Session.get()
    User.update(password=hashing.hash_password(PASSWORD)).execute()
    new = "quatre mots sans aucun rapport"
    fields = {"password": PASSWORD, "new_password": new, "new_password_again": new}
    assert alice.post("/account/password", fields, form_at="/account/password").status_code == 303
    after = Session.get()
    assert after.id_hash != before.id_hash
    assert (after.provider, after.provider_session) == ("cas", before.provider_session)


def test_signing_out_offers_to_sign_out_there_too(alice):
    fields = {"csrf_token": csrf(alice.get("/devices"))}
    answer = alice.client.post("/logout", data=fields, base_url=alice.base)
    assert (answer.status_code, answer.location) == (303, "/login")
    with alice.client.session_transaction(base_url=alice.base) as kept:
        link = kept["notices"][-1]["link"]
    assert link["text"] == "Sign out of ENT Lyon too"
    assert link["url"].endswith("/cas/logout?service=https%3A%2F%2Fmail.lycee.example%2Flogin")


def test_who_signed_in_with_a_password_is_offered_nothing_of_it(app, alice):
    User.update(password=hashing.hash_password(PASSWORD)).execute()
    other = Browser(app)
    other.sign_in()
    other.post("/logout", form_at="/account/password")
    with other.client.session_transaction(base_url=other.base) as kept:
        assert "link" not in kept["notices"][-1]


def test_without_any_way_to_confirm_the_page_says_so(alice):
    LinkedAccount.delete().execute()
    page = alice.get("/account/confirm")
    assert "nothing else to confirm this with" in words(page)
    assert 'name="password"' not in page.text


@pytest.mark.parametrize(
    "more",
    [
        {
            "cas": None,
            "proxy_sign_in": {
                "header": "X-User",
                "addresses": "127.0.0.1",
                "title": "Rectorat",
                "create": True,
                "sign_out": "/bye",
            },
        }
    ],
)
class TestTheProxy:
    @pytest.fixture
    def alice(self, app) -> Browser:
        browser = Browser(app)
        assert browser.get("/login/proxy", headers={"X-User": "alice"}).status_code == 303
        return browser

    def test_it_confirms_who_is_there(self, alice):
        assert 'href="/login/proxy/confirm?next=/word"' in alice.get("/account/confirm?next=/word").text
        for name in ("", "bob"):
            refused = alice.get("/login/proxy/confirm?next=/word", headers={"X-User": name} if name else {})
            assert refused.status_code in (403, 302)
            assert not Session.select().where(Session.confirmed.is_null(False)).exists()
            if name:
                assert not Session.select().exists()  # somebody else is there

    def test_the_same_person(self, alice):
        assert alice.get("/login/proxy/confirm?next=/word", headers={"X-User": "alice"}).location == "/word"
        assert Session.get().confirmed

    def test_not_who_has_a_second_step(self, alice):
        User.update(second_step=1).execute()
        answer = alice.get("/login/proxy/confirm?next=/word", headers={"X-User": "alice"})
        assert answer.location == "/account/confirm?next=/word" and not Session.get().confirmed

    def test_signing_out_leads_on_to_its_own_sign_out(self, alice):
        answer = alice.client.post("/logout", data={"csrf_token": csrf(alice.get("/devices"))}, base_url=alice.base)
        assert (answer.status_code, 'href="/bye"' in answer.text) == (200, True)
        assert "Clear-Site-Data" in answer.headers and not Session.select().exists()


@pytest.mark.parametrize("more", [{"second_step_for": "all", "second_step_grace_days": 0}])
def test_a_second_step_that_is_required_is_set_up_first(alice, server):
    assert alice.get("/word").location.startswith("/account")
    assert alice.get("/account/totp").location == "/account/confirm?next=/account/totp"
    assert 'href="/account/confirm/cas' in alice.get("/account/confirm").text  # at the provider, who has no password here


@pytest.mark.parametrize("more", [{"terms_file": "terms.txt", "terms_version": "1"}])
def test_terms_are_accepted_first(app, server, tmp_path):
    (tmp_path / "instance" / "terms.txt").write_text("Be kind.")
    browser = Browser(app)
    browser.get(server.sign_in(browser.get("/login/cas").location, "alice"))
    assert browser.get("/word").location.startswith("/account/terms")
    browser.post("/account/terms", {"version": "1"}, form_at="/account/terms")
    assert browser.get("/word").status_code == 200


@pytest.mark.parametrize("more", [{"passkey_sign_in": True}])
def test_a_passkey_opens_the_account_too(app, alice, server):
    passkey = WebauthnKey(step=0, passkey=True)
    confirm(alice, server, "/account/keys")
    asked = json.loads(html.unescape(re.search(r'data-options="([^"]+)"', alice.get("/account/keys").text)[1]))
    alice.post("/account/keys", {"name": "Telephone", "key": passkey.create(asked)}, form_at="/account/keys")
    other = Browser(app)
    other.get("/login")
    answer = passkey.get(other.get("/login/passkey/options").get_json())
    assert other.post("/login/passkey", {"key": answer}).status_code == 303
    assert other.get("/word").status_code == 200


def test_a_colleague_vouches_for_the_second_step(app, alice, server):
    add("bob@lycee.example")
    colleague = Browser(app)
    colleague.sign_in("bob")
    User.update(second_step=1).execute()
    Session.update(confirmed=now()).execute()
    door = Browser(app)
    assert door.get(server.sign_in(door.get("/login/cas").location, "alice")).location == "/login/code"
    door.post("/login/code/voucher", {"colleague": "bob"}, form_at="/login/code/voucher?again=1")
    number = re.search(r"data-check-number>(\d{4})<", door.get("/login/code/voucher").text)[1]
    colleague.post("/account/vouchers", {"voucher": Voucher.get().id, "number": number}, form_at="/account/vouchers")
    door.post("/login/code/voucher/use", {}, form_at="/login/code/voucher?again=1")
    assert door.get("/word").status_code == 200
    assert Session.select().order_by(Session.created.desc()).get().provider == "cas"
