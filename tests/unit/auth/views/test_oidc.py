"""Signing in by OpenID Connect: who gets in, what is refused and in which words, and what a provider may end."""

from __future__ import annotations

import base64
import hmac
import json
import re
import time
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from tests.support.auth_app import Browser, build, csrf
from tests.support.oidc_provider import CLIENT, ENDED, SECRET, fake_provider, new_key
from webmail import rate_limits
from webmail.auth.factors import authenticator, second_step
from webmail.auth.providers import oidc, oidc_server
from webmail.config.providers import Oidc
from webmail.models import (
    AuditAct,
    AuditEntry,
    GroupMember,
    LinkedAccount,
    PeopleGroup,
    Session,
    UsedToken,
    User,
    now,
)
from webmail.rate_limits import QUARTER, RateLimit

BASE = "https://mail.lycee.example"
BEGIN, BACK, OUT = "/login/oidc/ent", "/login/oidc/ent/callback", "/login/oidc/ent/sign-out"


@pytest.fixture
def provider():
    oidc_server.forget_all()
    with fake_provider() as running:
        running.claims = {"email": "alice@lycee.example", "email_verified": True, "name": "Alice Martin"}
        yield running


@pytest.fixture
def rules(provider):
    return Oidc(
        name="ent", title="ENT Lyon", issuer=provider.issuer, client_id=CLIENT, client_secret=SECRET,
        match_address=True, create=True, groups_claim="groups",
    )  # fmt: skip


@pytest.fixture
def settings(settings, rules):
    return replace(settings, public_url=BASE, oidc=(rules,), token_key_file="key.pem")


@pytest.fixture
def changed(settings, alice):
    """A browser at an application whose provider has other rules."""

    def build_with(**values):
        return Browser(build(replace(settings, oidc=(replace(settings.oidc[0], **values),))))

    return build_with


def leave(browser, query="") -> str:
    """Where the browser is led to."""
    response = browser.get(f"{BEGIN}{query}")
    assert response.status_code == 302, response.text
    return response.location


def led_on(response) -> str:
    """Where a page leads on to by itself."""
    return re.search(r'href="(http://127[^"]+)"', response.text)[1].replace("&amp;", "&")


def sign_in(browser, provider, query="", **over):
    return browser.get(provider.visit(leave(browser, query), **over))


def who(browser) -> str:
    response = browser.get("/mailbox/INBOX")
    return response.text.partition(" of ")[2].partition(",")[0] if response.status_code == 200 else ""


# --- getting in ------------------------------------------------------------------------------------------------------


def test_the_browser_is_led_to_the_provider_with_what_the_answer_must_match(visitor, provider):
    address = leave(visitor)
    asked = dict(parse_qsl(urlsplit(address).query))
    assert address.startswith(f"{provider.issuer}/auth?")
    assert asked["redirect_uri"] == BASE + BACK
    assert asked["response_type"] == "code" and asked["code_challenge_method"] == "S256"
    assert len(asked["state"]) >= 43 and len(asked["nonce"]) >= 43 and asked["state"] != asked["nonce"]
    assert "openid" in asked["scope"].split() and "prompt" not in asked


def test_somebody_signs_in_and_is_led_to_the_page_that_was_asked_for(visitor, provider, alice):
    response = sign_in(visitor, provider, "?next=/mailbox/Work")
    assert (response.status_code, response.location) == (303, "/mailbox/Work")
    assert who(visitor) == "alice@lycee.example"
    row = Session.get()
    assert row.provider == "oidc:ent" and len(row.provider_session) == 64
    assert AuditEntry.select().where(AuditEntry.act == AuditAct.SIGN_IN).count() == 1


def test_the_secret_stands_in_a_header_escaped_and_the_verifier_in_the_form(visitor, provider, alice):
    sign_in(visitor, provider)
    [form] = provider.forms
    assert form["authorization"].startswith("Basic ") and "client_secret" not in form
    assert len(form["code_verifier"]) >= 43


def test_the_secret_stands_in_the_form_where_the_provider_takes_it_there_alone(visitor, provider, alice):
    provider.told = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    sign_in(visitor, provider)
    assert provider.forms[0]["client_secret"] == SECRET and not provider.forms[0]["authorization"]


def test_the_account_is_made_at_the_first_sign_in_where_that_is_allowed(visitor, provider):
    provider.claims |= {"sub": "s2", "email": "Nina@lycee.example", "name": "Nina Roy"}
    assert sign_in(visitor, provider).status_code == 303
    made = User.get(User.address == "nina@lycee.example")
    assert (made.name, made.password, made.provider) == ("Nina Roy", "", "oidc:ent")


def test_the_link_counts_even_if_the_address_has_changed(visitor, provider, alice):
    LinkedAccount.create(user=alice, provider="oidc:ent", subject="subject-1")
    provider.claims |= {"email": "married@elsewhere.example", "email_verified": False}
    sign_in(visitor, provider)
    assert who(visitor) == "alice@lycee.example"


def test_groups_follow_the_claim(visitor, provider, alice):
    for name in ("Maths", "Chess"):
        PeopleGroup.create(identifier=name, name=name, sort=name.lower(), domain="lycee.example")
    provider.claims["groups"] = ["/maths", "unknown"]
    sign_in(visitor, provider)
    assert [row.group.name for row in GroupMember.select()] == ["Maths"]


def test_what_the_token_lacks_is_asked_for_of_the_same_person_alone(visitor, provider, alice):
    del provider.claims["email"], provider.claims["email_verified"]
    provider.person = {"email": "alice@lycee.example", "email_verified": True}
    sign_in(visitor, provider)
    assert who(visitor) == "alice@lycee.example"


def test_what_the_provider_says_of_another_person_is_not_used(visitor, provider, alice):
    del provider.claims["email"], provider.claims["email_verified"]
    provider.person = {"sub": "somebody else", "email": "alice@lycee.example", "email_verified": True}
    assert sign_in(visitor, provider).status_code == 403
    assert not who(visitor)


def test_the_second_step_of_ours_is_asked_for(visitor, provider, alice, settings):
    with second_step.changing(alice):
        authenticator.add(alice, "App", authenticator.new_secret(), 0, settings)
    assert sign_in(visitor, provider).location.startswith("/login/code")
    assert not who(visitor)
    assert Session.get().pending and Session.get().provider == "oidc:ent"


def test_the_providers_second_step_is_enough_where_the_administrator_says_so(changed, provider, alice, settings):
    with second_step.changing(alice):
        authenticator.add(alice, "App", authenticator.new_secret(), 0, settings)
    browser = changed(second_step="theirs")
    sign_in(browser, provider)
    assert who(browser) == "alice@lycee.example"


def test_what_was_chosen_and_written_on_the_sign_in_page_goes_along(visitor, provider, alice):
    text = {"kept-subject": "Trip", "kept-body": "Dear all, " * 50}
    response = visitor.post(BEGIN, {"next": "/compose/1", "shared": "y", **text})
    assert response.status_code == 200  # no redirect: the policy for forms would forbid it
    address = led_on(response)
    response = visitor.get(provider.visit(address))
    assert response.location == "/compose/1"
    row = Session.get()
    assert row.shared and "kept-sealed" in row.data and "Dear all" not in row.data
    assert len(visitor.cookie("__Host-traboule-visitor").value if visitor.cookie("__Host-traboule-visitor") else "") < 3800


def test_a_text_that_is_too_long_stays_on_the_page(visitor, provider, alice):
    text = "".join(f"{number * 7919 % 10007} " for number in range(3000))
    response = visitor.post(BEGIN, {"next": "/compose/1", "kept-body": text})
    assert response.status_code == 422 and "too long" in response.text
    assert f'name="kept-body" value="{text}"' in response.text


def test_who_signed_in_in_another_tab_meanwhile_goes_on_with_the_text(visitor, provider, alice):
    token = csrf(visitor.get("/login"))
    sign_in(visitor, provider)
    fields = {"csrf_token": token, "next": "/compose/1", "kept-body": "Dear all"}
    assert visitor.client.post(BEGIN, data=fields, base_url=BASE).location == "/compose/1"
    assert "kept-sealed" in Session.get().data and "Dear all" not in Session.get().data


def test_the_cookie_stays_small_however_many_tabs_and_whatever_they_ask_for(visitor, provider, alice):
    for number in range(9):
        visitor.get(f"{BEGIN}?next=/mailbox/{'x' * 300}{number}")
    assert len(visitor.cookie("__Host-traboule-visitor").value) < 3800
    visitor.get(f"{BEGIN}?next=/mailbox/{'x' * 1900}")
    assert len(visitor.cookie("__Host-traboule-visitor").value) < 3800


def test_two_tabs_both_lead_in(visitor, provider, alice):
    one, two = leave(visitor, "?next=/mailbox/One"), leave(visitor, "?next=/mailbox/Two")
    assert visitor.get(provider.visit(one)).location == "/mailbox/One"
    response = visitor.get(provider.visit(two))
    assert (response.status_code, response.location) == (303, "/mailbox/INBOX")
    assert Session.select().count() == 1


def test_who_is_signed_in_is_not_sent_away(visitor, provider, alice):
    visitor.sign_in()
    assert visitor.get(f"{BEGIN}?next=/mailbox/Work").location == "/mailbox/Work"


def test_an_unknown_provider_is_not_there(visitor, provider):
    assert [visitor.get(f"/login/oidc/none{path}").status_code for path in ("", "/callback", "/leave")] == [404] * 3


# --- refused ---------------------------------------------------------------------------------------------------------


REFUSED = {
    "another issuer": {"iss": "https://evil.example"},
    "another audience": {"aud": "somebody"},
    "several audiences without a party": {"aud": [CLIENT, "somebody"]},
    "another party": {"azp": "somebody"},
    "expired": {"exp": int(time.time()) - 120},
    "no end": {"exp": None},
    "made in the future": {"iat": int(time.time()) + 600},
    "made long ago": {"iat": int(time.time()) - 3600},
    "no beginning": {"iat": None},
    "another nonce": {"nonce": "x" * 43},
    "no nonce": {"nonce": None},
    "no subject": {"sub": None},
    "an empty subject": {"sub": ""},
    "a number as subject": {"sub": 7},
    "another access token": {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
    "not yet": {"nbf": int(time.time()) + 600},
    "a list as issuer": {"iss": ["x"]},
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_token_that_is_not_right_lets_nobody_in(visitor, provider, alice, what):
    provider.claims |= REFUSED[what]
    response = sign_in(visitor, provider)
    assert response.status_code == 403 and "did not confirm this sign-in" in response.text
    assert not who(visitor) and not Session.select().count()
    assert AuditEntry.get(AuditEntry.act == AuditAct.PROVIDER_REFUSED).target == "oidc:ent"


def _unsigned(claims):
    return jwt.encode({"alg": "none"}, claims, OctKey.import_key("x" * 32), algorithms=["none"])


def _by_secret(claims):
    return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(SECRET * 2), algorithms=["HS256"])


def _by_public_key(provider):
    """The confusion of RS256 with HS256: the public key as a secret. By hand, since the library refuses to."""

    def sign(claims):
        pieces = [
            base64.urlsafe_b64encode(json.dumps(one).encode()).rstrip(b"=") for one in ({"alg": "HS256", "kid": "one"}, claims)
        ]
        signature = hmac.digest(provider.keys[0].as_pem(private=False), b".".join(pieces), "sha256")
        return b".".join([*pieces, base64.urlsafe_b64encode(signature).rstrip(b"=")]).decode()

    return sign


def _by_own_key(provider, header):
    other = new_key("one")
    return lambda claims: provider.token(claims, header(other), other)


FORGED = {
    "unsigned": lambda provider: _unsigned,
    "signed with the client's secret": lambda provider: _by_secret,
    "signed with the public key as a secret": _by_public_key,
    "signed with another key of the same name": lambda provider: _by_own_key(provider, lambda key: {}),
    "signed with a key of another name": lambda provider: _by_own_key(provider, lambda key: {"kid": "other"}),
    "signed with a key that it brings along": lambda provider: _by_own_key(
        provider, lambda key: {"jwk": key.as_dict(private=False)}
    ),
    "no token at all": lambda provider: lambda claims: "no token",
    "three dots": lambda provider: lambda claims: "a.b.c",
    "a very long one": lambda provider: lambda claims: "a" * 50_000,
    "another signature": lambda provider: lambda claims: provider.token(claims)[:-8] + "AAAAAAAA",
    "other claims": lambda provider: (
        lambda claims: ".".join(
            [
                (one := provider.token(claims)).split(".")[0],
                provider.token({**claims, "email": "x@y.z"}).split(".")[1],
                one.split(".")[2],
            ]
        )
    ),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("what", FORGED)
def test_a_token_of_somebody_else_lets_nobody_in(visitor, provider, alice, what):
    provider.sign = FORGED[what](provider)
    assert sign_in(visitor, provider).status_code == 403
    assert not who(visitor)


def test_a_short_key_is_no_key(visitor, provider, alice):
    with pytest.warns(match="."):
        provider.keys = [new_key("one", bits=1024)]
        assert sign_in(visitor, provider).status_code == 403


def test_a_new_key_is_looked_for_once(visitor, provider, alice, monkeypatch):
    sign_in(visitor, provider)
    provider.keys = [new_key("two")]
    monkeypatch.setattr(oidc_server, "KEYS_AGAIN_SECONDS", 0.0)
    other = Browser(visitor.app)
    sign_in(other, provider)
    assert who(other) == "alice@lycee.example"
    assert provider.asked.count("/jwks") == 2


def test_unknown_keys_do_not_make_us_ask_again_and_again(visitor, provider, alice):
    for _ in range(5):
        visitor.client.post(
            OUT, data={"logout_token": provider.logout_token({"kid": "unknown"}, new_key("unknown"), sid="x")}, base_url=BASE
        )
    assert provider.asked.count("/jwks") == 1


@pytest.mark.parametrize("over", [{"state": "x"}, {"state": ""}, {"state": None}])
def test_an_answer_that_was_not_asked_for_here_is_refused(visitor, provider, alice, over):
    response = sign_in(visitor, provider, **over)
    assert response.status_code == 400 and "started in another browser" in response.text
    assert not provider.forms  # nobody asks the provider for it


def test_an_answer_that_another_browser_asked_for_is_refused(app, visitor, provider, alice):
    """Sign-in forced on somebody: the attacker's answer in the victim's browser."""
    planted = provider.visit(leave(Browser(app)))
    leave(visitor)
    assert visitor.get(planted).status_code == 400
    assert not who(visitor)


def test_a_code_of_another_browser_is_refused(app, visitor, provider, alice):
    """Code injection: the victim's code behind the attacker's own state."""
    stolen = dict(parse_qsl(urlsplit(provider.visit(leave(Browser(app)))).query))["code"]
    assert sign_in(visitor, provider, code=stolen).status_code == 403
    assert not who(visitor)


def test_an_answer_counts_once(visitor, app, provider, alice):
    there = provider.visit(leave(visitor))
    cookies = {c.key: c.value for c in visitor.client._cookies.values()}
    assert visitor.get(there).status_code == 303
    again = Browser(app)
    for name, value in cookies.items():
        again.client.set_cookie(name, value, domain="mail.lycee.example", secure=True)
    assert again.get(there).status_code == 403  # the cookie was copied, but the code is used
    assert not who(again)


def test_an_answer_in_the_name_of_another_provider_is_refused(visitor, provider, alice):
    assert sign_in(visitor, provider, iss="https://evil.example").status_code == 403
    assert sign_in(visitor, provider, iss=None).status_code == 403  # it always says who it is
    assert not provider.forms


def test_an_answer_of_one_provider_is_not_taken_at_the_address_of_another(settings, provider, alice):
    with fake_provider() as other:
        second = replace(settings.oidc[0], name="other", title="Other", issuer=other.issuer)
        browser = Browser(build(replace(settings, oidc=(settings.oidc[0], second))))
        there = provider.visit(leave(browser), iss=other.issuer).replace("/ent/", "/other/")
        assert browser.get(there).status_code == 400
        assert not other.forms and not provider.forms


def test_an_attempt_ends_after_a_quarter_of_an_hour(visitor, provider, alice, monkeypatch):
    there = provider.visit(leave(visitor))
    later = time.time() + 16 * 60
    monkeypatch.setattr("webmail.auth.providers.oidc.time.time", lambda: later)
    assert visitor.get(there).status_code == 400


@pytest.mark.parametrize("error, words", [
    ("access_denied", "You did not sign in to ENT Lyon"),
    ("server_error", "ENT Lyon is not responding"),
    ("temporarily_unavailable", "ENT Lyon is not responding"),
    ("invalid_scope", "Tell your administrator"),
    ("<script>alert(1)</script>", "Tell your administrator"),
])  # fmt: skip
def test_what_the_provider_refuses_is_said_in_words(visitor, provider, alice, error, words):
    response = sign_in(visitor, provider, "?next=/mailbox/Work", error=error, code=None)
    assert response.status_code == 403 and words in response.text and "alert(1)" not in response.text
    assert 'value="/mailbox/Work"' in response.text


def test_many_refused_answers_are_not_asked_about_any_more(visitor, provider, alice, settings):
    most = 5 * settings.sign_in_attempts
    for _ in range(most):
        rate_limits.note(settings, RateLimit("refused answers of providers", most, QUARTER).by("127.0.0.1"))
    assert sign_in(visitor, provider).status_code == 429
    assert not provider.forms
    assert visitor.sign_in().status_code == 303  # passwords count apart


@pytest.mark.parametrize("target", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)"])
def test_nobody_is_led_elsewhere(visitor, provider, alice, target):
    assert sign_in(visitor, provider, f"?next={target}").location == "/mailbox/INBOX"


def test_the_address_to_come_back_to_is_never_taken_from_the_request(visitor, provider):
    response = visitor.client.get(BEGIN, base_url="https://evil.example", headers={"X-Forwarded-Host": "evil.example"})
    assert "redirect_uri=https%3A%2F%2Fmail.lycee.example" in response.location and "evil" not in response.location


# --- whose account ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verified", [False, None, "false", "yes", 1])
def test_an_address_that_is_not_proven_opens_no_account_and_makes_none(visitor, provider, alice, verified):
    provider.claims["email_verified"] = verified
    response = sign_in(visitor, provider)
    assert response.status_code == 403 and "alice@lycee.example" in response.text and "connect it" in response.text
    provider.claims["email"] = "director@lycee.example"
    assert sign_in(visitor, provider).status_code == 403
    assert not who(visitor) and User.select().count() == 1


@pytest.mark.parametrize("create", [True, False])
def test_who_writes_any_address_at_the_provider_does_not_learn_who_has_an_account(changed, provider, alice, create):
    provider.claims["email_verified"] = False
    browser = changed(create=create)
    answers = set()
    for name in ("alice", "nobody"):
        provider.claims["email"] = f"{name}@lycee.example"
        answer = sign_in(browser, provider)
        [words] = re.findall(rf"[^>]*{name}@[^<]*", answer.text)
        answers.add((answer.status_code, words.replace(name, "")))
    assert len(answers) == 1 and "has not checked" in str(answers)


def test_that_another_address_is_proven_says_nothing_of_this_one(changed, provider, alice):
    provider.claims |= {"email_verified": None, "name": None}
    provider.person = {"sub": "subject-1", "name": "Mallory", "email": "mallory@lycee.example", "email_verified": True}
    browser = changed(name_claim="name")
    assert sign_in(browser, provider).status_code == 403
    provider.person["email"] = "alice@lycee.example"
    sign_in(browser, provider)
    assert who(browser) == "alice@lycee.example"


@pytest.mark.parametrize("name", ["Director <director@lycee.example>", "director (at) lycee.example"])
def test_a_name_with_an_address_in_it_is_not_shown(visitor, provider, alice, name):
    provider.claims |= {"sub": "s2", "email": "nina@lycee.example", "name": name}
    sign_in(visitor, provider)
    assert User.get(User.address == "nina@lycee.example").name == ""


def test_the_establishments_own_provider_need_not_prove_addresses(changed, provider, alice):
    del provider.claims["email_verified"]
    browser = changed(addresses_proven=True)
    sign_in(browser, provider)
    assert who(browser) == "alice@lycee.example"


def test_an_administrators_account_is_opened_by_a_link_alone(visitor, provider, alice):
    User.update(role="admin").execute()
    assert sign_in(visitor, provider).status_code == 403
    LinkedAccount.create(user=alice, provider="oidc:ent", subject="subject-1")
    sign_in(visitor, provider)
    assert who(visitor) == "alice@lycee.example"


def test_another_claim_than_email_is_not_proven_by_it(changed, provider, alice):
    provider.claims |= {"email": "mallory@gmail.example", "upn": "alice@lycee.example"}
    browser = changed(address_claim="upn")
    assert sign_in(browser, provider).status_code == 403


def test_an_address_of_another_domain_is_not_let_in(visitor, provider, alice):
    provider.claims["email"] = "alice@elsewhere.example"
    assert "no email address that can be used here" in sign_in(visitor, provider).text


def test_who_is_disabled_stays_outside(visitor, provider, alice):
    User.update(active=0).execute()
    assert "disabled" in sign_in(visitor, provider).text
    assert not who(visitor)


def test_another_subject_does_not_take_an_account_that_is_linked(visitor, provider, alice):
    LinkedAccount.create(user=alice, provider="oidc:ent", subject="the first one")
    assert sign_in(visitor, provider).status_code == 403
    assert not who(visitor)


def test_a_provider_makes_nobody_an_administrator(visitor, provider):
    provider.claims |= {"sub": "s2", "email": "nina@lycee.example", "role": "admin", "groups": ["admin"]}
    sign_in(visitor, provider)
    assert User.get(User.address == "nina@lycee.example").role == "person"


# --- a provider that is away -----------------------------------------------------------------------------------------


def _slow(handler):
    time.sleep(2)


def _trickle(handler):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
    for _ in range(100):
        handler.wfile.write(b" ")
        time.sleep(0.05)


def _huge(handler):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n")
    for _ in range(1600):
        handler.wfile.write(b" " * 65536)


AWAY = {
    "an error": (500, b"{}"),
    "a redirect": lambda handler: handler.wfile.write(
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
    ),
    "no JSON": (200, b"<html>"),
    "a list": (200, b"[]"),
    "deep JSON": (200, b"[" * 100_000),
    "no answer": _slow,
    "a byte at a time": _trickle,
    "100 MB": _huge,
}


@pytest.mark.parametrize("what", AWAY)
def test_a_provider_that_does_not_answer_well_is_said_to_be_away(visitor, provider, alice, what, monkeypatch):
    monkeypatch.setattr(oidc_server, "SECONDS", 1.0)
    provider.answer["/.well-known/openid-configuration"] = AWAY[what]
    began = time.monotonic()
    response = visitor.get(f"{BEGIN}?next=/mailbox/Work")
    assert response.status_code == 503 and "ENT Lyon is not responding" in response.text
    assert time.monotonic() - began < 4.5  # a byte at a time comes for five
    assert visitor.sign_in().status_code == 303  # other ways stay


def test_a_provider_that_is_away_is_left_alone_for_a_moment(visitor, provider, alice, monkeypatch):
    monkeypatch.setattr(oidc_server, "SECONDS", 0.5)
    provider.answer["/.well-known/openid-configuration"] = _slow
    visitor.get(BEGIN)
    assert visitor.get(BEGIN).status_code == 503
    assert len(provider.asked) == 1


@pytest.mark.parametrize("path", ["/token", "/jwks"])
def test_what_is_away_on_the_way_back_is_said_too(visitor, provider, alice, path):
    provider.answer[path] = (503, b"{}")
    response = sign_in(visitor, provider)
    assert response.status_code == 503 and "ENT Lyon is not responding" in response.text


@pytest.mark.parametrize("told", [
    {"issuer": "https://evil.example"}, {"issuer": None}, {"token_endpoint": None}, {"jwks_uri": "http://evil.example/keys"},
    {"authorization_endpoint": "javascript:alert(1)"}, {"token_endpoint": "file:///etc/passwd"}, {"token_endpoint": 7},
])  # fmt: skip
def test_a_configuration_that_is_not_right_is_not_used(visitor, provider, told):
    provider.told = told
    assert visitor.get(BEGIN).status_code == 503


def test_what_was_known_is_used_while_the_configuration_is_away(visitor, provider, alice, monkeypatch):
    monkeypatch.setattr(oidc_server, "KEPT_SECONDS", 0.0)
    monkeypatch.setattr(oidc_server, "PAUSE_SECONDS", 0.0)
    leave(visitor)
    provider.answer["/.well-known/openid-configuration"] = (500, b"")
    sign_in(visitor, provider)
    assert who(visitor) == "alice@lycee.example"


# --- sign-out --------------------------------------------------------------------------------------------------------


def end(browser, token) -> int:
    response = browser.client.post(OUT, data={"logout_token": token}, base_url=BASE)
    assert response.headers["Cache-Control"].startswith("no-store")
    return response.status_code


def test_the_provider_ends_the_session_that_began_with_its_own(visitor, app, provider, alice):
    sign_in(visitor, provider)
    other = Browser(app)
    other.sign_in()
    assert end(Browser(app), provider.logout_token(sid="session-1", sub="subject-1")) == 200
    assert (who(visitor), who(other)) == ("", "alice@lycee.example")
    assert AuditEntry.select().where(AuditEntry.act == AuditAct.PROVIDER_SIGN_OUT).count() == 1


def test_the_provider_ends_all_of_a_person(visitor, app, provider, alice):
    sign_in(visitor, provider)
    other = Browser(app)
    other.sign_in()
    assert end(Browser(app), provider.logout_token(sub="subject-1")) == 200
    assert (who(visitor), who(other)) == ("", "")


def test_somebody_else_is_not_signed_out(visitor, provider, alice):
    sign_in(visitor, provider)
    assert end(visitor, provider.logout_token(sid="session-2")) == 200  # nothing to end is no error
    assert end(visitor, provider.logout_token(sub="subject-2")) == 200
    assert who(visitor) == "alice@lycee.example"


NO_LOGOUT = {
    "with a nonce": {"nonce": "x"}, "without an event": {"events": None}, "another event": {"events": {"x": {}}},
    "an event that is no object": {"events": {ENDED: True}}, "another issuer": {"iss": "https://evil.example"},
    "another audience": {"aud": "somebody"}, "expired": {"exp": 1}, "made long ago": {"iat": int(time.time()) - 3600},
    "without a name": {"jti": None}, "of nobody": {"sid": None}, "a list as session": {"sid": ["session-1"]},
}  # fmt: skip


@pytest.mark.parametrize("what", NO_LOGOUT)
def test_a_sign_out_that_is_not_right_ends_nothing(visitor, provider, alice, what):
    sign_in(visitor, provider)
    assert end(visitor, provider.logout_token(**{"sid": "session-1", **NO_LOGOUT[what]})) == 400
    assert who(visitor) == "alice@lycee.example"


def test_an_id_token_is_no_sign_out(visitor, provider, alice):
    sign_in(visitor, provider)
    at = int(time.time())
    token = provider.token(
        {"iss": provider.issuer, "aud": CLIENT, "sub": "subject-1", "sid": "session-1", "iat": at, "exp": at + 60, "jti": "x"}
    )
    assert end(visitor, token) == 400
    assert end(visitor, "") == 400
    assert end(visitor, provider.logout_token({}, new_key("one"), sid="session-1")) == 400
    assert end(visitor, provider.logout_token({"typ": "at+jwt"}, sid="session-1")) == 400
    assert who(visitor) == "alice@lycee.example"


def test_a_sign_out_counts_once(visitor, provider, alice):
    token = provider.logout_token(sid="session-1")
    assert end(visitor, token) == 200
    sign_in(visitor, provider)
    assert end(visitor, token) == 400
    assert who(visitor) == "alice@lycee.example"
    UsedToken.update(expires=now() - timedelta(seconds=1)).execute()
    end(visitor, provider.logout_token(sid="x"))
    assert UsedToken.select().count() == 1  # what is over is forgotten


def test_who_signed_out_here_may_sign_out_there_too(visitor, provider, alice):
    """The provider is told whose session it is, by its own token (RP-Initiated Logout 1.0 section 2), once."""
    sign_in(visitor, provider)
    visitor.post("/logout", form_at="/devices")
    kept = visitor.cookie("__Host-traboule-visitor").value
    address = visitor.get(f"{BEGIN}/leave").location
    assert address.startswith(f"{provider.issuer}/session/end?")
    asked = dict(parse_qsl(urlsplit(address).query))
    hint = asked.pop("id_token_hint")
    assert asked == {"client_id": CLIENT, "post_logout_redirect_uri": f"{BASE}/login"}
    claims = json.loads(base64.urlsafe_b64decode(hint.split(".")[1] + "=="))
    assert claims["iss"] == provider.issuer and claims["aud"] == CLIENT
    assert hint.split(".")[1] not in kept and len(kept) < 3000  # a shared computer keeps no names
    assert "id_token_hint" not in visitor.get(f"{BEGIN}/leave").location


def test_a_token_that_is_too_long_for_a_cookie_is_left_out(settings):
    assert oidc.keep_hint("x" * 1501, settings) == "" and oidc.keep_hint("", settings) == ""
    assert len(oidc.keep_hint("x" * 1500, settings)) < 2100


# --- connecting ------------------------------------------------------------------------------------------------------


@pytest.fixture
def confirmed(visitor, alice):
    visitor.sign_in()
    Session.update(confirmed=now()).execute()
    return visitor


def connect(browser, provider, **over):
    there = led_on(browser.get("/account/providers/ent/connect"))
    asked = dict(parse_qsl(urlsplit(there).query))
    assert (asked["prompt"], asked["max_age"]) == ("login", "0")  # not whoever left a session open there
    return browser.get(provider.visit(there, **over))


def press(browser, path, **fields):
    token = csrf(browser.get("/account/providers"))
    return browser.client.post(path, data={"csrf_token": token, **fields}, base_url=BASE)


def test_somebody_connects_an_account_after_seeing_whose_it_is(confirmed, provider, alice):
    provider.claims |= {"email": "ann@ent.example", "name": "Ann", "email_verified": False}
    assert connect(confirmed, provider).location == "/account/providers"
    page = confirmed.get("/account/providers").text
    assert "ann@ent.example" in page and "Connect only your own account" in page
    assert not LinkedAccount.select().count()
    press(confirmed, "/account/providers/connect")
    assert LinkedAccount.get().user == alice and LinkedAccount.get().shown == "ann@ent.example"
    assert "ann@ent.example" in confirmed.get("/account/providers").text
    assert AuditEntry.get(AuditEntry.act == AuditAct.PROVIDER_LINKED).target == "oidc:ent"


def test_somebody_sees_that_it_is_not_theirs_and_cancels(confirmed, provider, alice):
    connect(confirmed, provider)
    press(confirmed, "/account/providers/connect", action="cancel")
    assert "Connect only" not in confirmed.get("/account/providers").text
    assert not LinkedAccount.select().count()


def test_connecting_asks_for_a_factor_first(visitor, provider, alice):
    visitor.sign_in()
    assert visitor.get("/account/providers/ent/connect").location.startswith("/account/confirm")


def test_a_session_that_was_open_there_connects_nothing(confirmed, provider, alice):
    provider.claims["auth_time"] = int(time.time()) - 900
    connect(confirmed, provider)
    assert "did not confirm that you have just signed in" in confirmed.get("/account/providers").text
    assert not LinkedAccount.select().count()


def test_a_provider_that_never_says_when_connects_who_looks(confirmed, provider, alice):
    provider.claims["auth_time"] = None
    connect(confirmed, provider)
    assert "Connect only your own account" in confirmed.get("/account/providers").text


def test_an_account_there_belongs_to_one_person_here(confirmed, provider, alice, bob):
    LinkedAccount.create(user=bob, provider="oidc:ent", subject="subject-1")
    connect(confirmed, provider)
    press(confirmed, "/account/providers/connect")
    assert LinkedAccount.get().user == bob


def test_an_answer_for_one_person_does_not_connect_another(confirmed, provider, alice, bob):
    there = provider.visit(led_on(confirmed.get("/account/providers/ent/connect")))
    row = Session.get()
    Session.update(user=bob).where(Session.id_hash == row.id_hash).execute()
    confirmed.get(there)
    assert "Connect only" not in confirmed.get("/account/providers").text


def test_somebody_disconnects_what_they_do_not_need(confirmed, provider, alice):
    LinkedAccount.create(user=alice, provider="oidc:ent", subject="subject-1")
    press(confirmed, "/account/providers/disconnect", provider="oidc:ent")
    assert not LinkedAccount.select().count()
    assert AuditEntry.get(AuditEntry.act == AuditAct.PROVIDER_UNLINKED).target == "oidc:ent"


def test_the_only_way_in_stays(visitor, provider):
    provider.claims |= {"sub": "s2", "email": "nina@lycee.example"}
    sign_in(visitor, provider)
    Session.update(confirmed=now()).execute()
    assert "Your only way to sign in" in visitor.get("/account/providers").text
    token = csrf(visitor.get("/account/totp"))
    visitor.client.post("/account/providers/disconnect", data={"csrf_token": token, "provider": "oidc:ent"}, base_url=BASE)
    assert "is your only way to sign in" in visitor.get("/account/providers").text
    assert LinkedAccount.select().count() == 1


# --- confirming ------------------------------------------------------------------------------------------------------


@pytest.fixture
def nina(visitor, provider):
    """Somebody whose account the provider made, signed in a while ago."""
    provider.claims |= {"sub": "s2", "email": "nina@lycee.example"}
    sign_in(visitor, provider)
    Session.update(created=now() - timedelta(hours=1)).execute()
    return User.get(User.address == "nina@lycee.example")


def test_who_has_no_password_of_ours_confirms_at_the_provider(visitor, provider, nina):
    assert visitor.get("/account/keys").location.startswith("/account/confirm")
    there = visitor.get("/account/confirm/oidc/ent?next=/account/keys").location
    assert "prompt=login" in there and "max_age=0" in there
    assert visitor.get(provider.visit(there)).location == "/account/keys"
    assert Session.get().confirmed is not None


@pytest.mark.parametrize("claims", [{"sub": "somebody else"}, {"auth_time": 5}, {"auth_time": None}])
def test_only_the_same_person_who_signs_in_now_confirms(visitor, provider, nina, claims):
    there = visitor.get("/account/confirm/oidc/ent?next=/account/keys").location
    provider.claims |= claims
    assert visitor.get(provider.visit(there)).status_code == 403
    assert Session.get().confirmed is None


@pytest.mark.parametrize("has", [{"second_step": 1}, {"password": "something"}])
def test_a_provider_confirms_nothing_for_who_has_a_factor_or_a_password_of_ours(visitor, provider, nina, has):
    User.update(**has).where(User.id == nina.id).execute()
    there = visitor.get("/account/confirm/oidc/ent?next=/account/keys").location
    assert visitor.get(provider.visit(there)).location == "/account/confirm?next=/account/keys"
    assert Session.get().confirmed is None


def test_a_sign_in_is_no_confirmation(visitor, app, provider, nina):
    """An answer to the question who somebody is, at which nobody had to type anything."""
    there = provider.visit(leave(Browser(app)))
    visitor.get(there)
    assert Session.get().confirmed is None


def test_the_confirm_page_offers_it_to_who_has_nothing_else(visitor, provider, nina, app):
    assert "/account/confirm/oidc/ent" in visitor.get("/account/confirm?next=/account/keys").text
    alice = User.get(User.address == "alice@lycee.example")
    LinkedAccount.create(user=alice, provider="oidc:ent", subject="subject-1")
    other = Browser(app)
    other.sign_in()
    assert "/account/confirm/oidc/ent" not in other.get("/account/confirm?next=/account/keys").text
