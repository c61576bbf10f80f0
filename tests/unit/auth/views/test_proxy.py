"""Signing in by a trusted proxy's header: who is believed, and what becomes of a session when somebody else is named."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.auth_app import Browser, add, build
from webmail.config import settings as config
from webmail.models import Session, User


@pytest.fixture
def rules() -> dict[str, Any]:
    return {}


@pytest.fixture
def app(tmp_path, database, rules):
    entry = {"header": "X-Remote-User", "addresses": "127.0.0.1", "title": "Rectorat", **rules}
    (tmp_path / "instance").mkdir()
    (tmp_path / "instance" / "key").write_text("")
    given = {"sign_in": "accounts", "domain": "lycee.example", "database_url": database, "proxies": 1}
    return build(config.load(tmp_path / "instance", token_key_file="key", proxy_sign_in=entry, **given))


def ask(browser: Browser, path: str = "/login/proxy", user: str = "alice", peer: str = "127.0.0.1", **headers: str):
    sent = {"X-Remote-User": user, **headers} if user else headers
    return browser.get(path, headers=sent, environ_overrides={"REMOTE_ADDR": peer})


def test_the_proxy_signs_in_who_has_an_account(visitor):
    add("alice@lycee.example")
    answer = ask(visitor, "/login/proxy?next=/word")
    assert (answer.status_code, answer.location) == (303, "/word")
    assert visitor.get("/word").status_code == 200
    assert Session.get().provider == "proxy"


def test_nobody_else_does(app):
    add("alice@lycee.example")
    assert ask(Browser(app), peer="192.0.2.1").status_code == 403
    forged = {"X-Forwarded-For": "127.0.0.1", "Forwarded": "for=127.0.0.1", "X-Real-IP": "127.0.0.1"}
    assert ask(Browser(app), peer="192.0.2.1", **forged).status_code == 403
    assert not Session.select().exists()


@pytest.mark.parametrize("user", ["", "alice,bob", "alice@lycee.example, alice@lycee.example", "a b"])
def test_nobody_is_signed_in_by_a_header_that_names_no_one_person(visitor, user):
    add("alice@lycee.example")
    answer = ask(visitor, user=user)
    assert (answer.status_code, "Rectorat did not say who you are" in answer.text) == (403, True)
    assert not Session.select().exists()


@pytest.mark.parametrize("rules", [{"create": True, "name_header": "X-Name"}])
def test_an_account_is_made_where_that_is_allowed(visitor):
    ask(visitor, **{"X-Name": "Zoé Petit"})
    user = User.get()
    assert (user.address, user.name, user.provider, user.password) == ("alice@lycee.example", "Zoé Petit", "proxy", "")


def test_or_not(visitor):
    answer = ask(visitor)
    assert (answer.status_code, "has no account here" in answer.text) == (403, True)


def test_a_session_ends_when_somebody_else_is_named(visitor):
    add("alice@lycee.example"), add("bob@lycee.example")
    ask(visitor)
    assert ask(visitor, "/word").status_code == ask(visitor, "/word", user="").status_code == 200
    assert ask(visitor, "/word", user="bob", peer="192.0.2.1").status_code == 200  # a browser's own header
    answer = ask(visitor, "/word", user="bob")
    assert answer.location == "/login?next=/word"
    assert not Session.select().exists()


def test_sessions_of_other_ways_do_not(visitor):
    add("alice@lycee.example")
    visitor.sign_in()
    assert ask(visitor, "/word", user="bob").status_code == 200


def test_one_who_is_named_anew_gets_a_session_of_their_own(visitor):
    add("alice@lycee.example"), add("bob@lycee.example")
    ask(visitor)
    ask(visitor, user="bob")
    assert [row.user.local for row in Session.select()] == ["bob"]


@pytest.mark.parametrize("rules", [{"path": "/Shibboleth.sso/Login?target={back}"}])
def test_who_is_not_named_is_sent_to_the_gateway_once(visitor):
    answer = ask(visitor, "/login/proxy?next=/word", user="")
    assert answer.location == "/Shibboleth.sso/Login?target=%2Flogin%2Fproxy%3Fnext%3D%252Fword%26back%3D1" or (
        answer.location == "/Shibboleth.sso/Login?target=%2Flogin%2Fproxy%3Fnext%3D%2Fword%26back%3D1"
    )
    assert ask(visitor, "/login/proxy?back=1", user="").status_code == 403


def test_a_shared_computer_and_the_text_go_along(visitor):
    add("alice@lycee.example")
    page = visitor.post("/login/proxy", {"next": "/word", "shared": "y", "kept-body": "Half a letter"})
    assert 'href="/login/proxy?next=/word&amp;shared=1"' in page.text
    assert ask(visitor, "/login/proxy?next=/word&shared=1").location == "/word"
    row = Session.get()
    assert row.shared and "kept-sealed" in row.data and "Half a letter" not in row.data


def test_a_page_that_is_fetched_ahead_signs_nobody_in(visitor):
    add("alice@lycee.example")
    assert ask(visitor, **{"Sec-Purpose": "prefetch"}).status_code == 204
    assert not Session.select().exists()


def test_without_the_setting_there_is_nothing(settings, alice):
    assert ask(Browser(build(settings))).status_code == 404
