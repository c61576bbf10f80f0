"""Signing in by a CAS server: there, back, what can go wrong, confirming, and signing out there."""

from __future__ import annotations

import re
import secrets
import time
from typing import Any

import pytest

from tests.support.auth_app import Browser, add, build
from tests.support.cas_server import cas_server, failure, sign_out, xml
from webmail import rate_limits
from webmail.config import settings as config
from webmail.models import AuditAct, AuditEntry, LinkedAccount, Session, User
from webmail.rate_limits import QUARTER, RateLimit


@pytest.fixture
def server():
    with cas_server(alice={"mail": ["alice@lycee.example"], "displayName": ["Alice Martin"]}) as here:
        yield here


@pytest.fixture
def rules() -> dict[str, Any]:
    return {}


@pytest.fixture
def app(tmp_path, database, server, rules):
    entry = {"url": server.url, "title": "ENT Lyon", "create": True, **rules}
    given = {
        "sign_in": "accounts",
        "domain": "lycee.example",
        "database_url": database,
        "public_url": "https://mail.lycee.example",
    }
    (tmp_path / "instance").mkdir()
    (tmp_path / "instance" / "key").write_text("")
    return build(config.load(tmp_path / "instance", token_key_file="key", cas=entry, **given))


def there(browser: Browser, path: str = "/login/cas") -> str:
    """Where the browser is sent."""
    answer = browser.get(path)
    assert answer.status_code == 302, answer.text
    return str(answer.location)


def come_in(browser: Browser, server, user: str = "alice", path: str = "/login/cas"):
    return browser.get(server.sign_in(there(browser, path), user))


def words(answer) -> str:
    return re.sub(r"\s+", " ", re.sub("<[^>]*>", "", answer.text))


def test_the_sign_in_page_offers_it(visitor):
    page = visitor.get("/login?next=/word").text
    assert 'href="/login/cas?next=/word"' in page
    assert "Sign in with ENT Lyon" in page
    assert "shared=1" in visitor.get("/login?shared=1").text.partition("Sign in with ENT Lyon")[0]


def test_an_account_is_made_at_the_first_sign_in(visitor, server):
    answer = come_in(visitor, server, path="/login/cas?next=/word")
    assert (answer.status_code, answer.location) == (303, "/word")
    user = User.get(User.address == "alice@lycee.example")
    assert (user.name, user.password, user.provider) == ("Alice Martin", "", "cas")
    assert Session.get().provider == "cas"
    assert visitor.get("/word").status_code == 200


def test_the_same_person_comes_back_to_it(app, server):
    for _ in range(2):
        assert come_in(Browser(app), server).status_code == 303
    assert LinkedAccount.select().count() == User.select().count() == 1


@pytest.mark.parametrize("rules", [{"create": False}])
def test_without_an_account_it_says_so(visitor, server):
    answer = come_in(visitor, server)
    assert answer.status_code == 403
    assert "ENT Lyon knows you, but alice@lycee.example has no account here" in words(answer)
    assert AuditEntry.get(AuditEntry.act == AuditAct.PROVIDER_REFUSED).target == "alice@lycee.example"


def test_an_account_that_is_there_has_to_be_connected_first(visitor, server):
    add("alice@lycee.example")
    answer = come_in(visitor, server)
    assert answer.status_code == 403
    assert "Sign in to it as usual, then connect it to ENT Lyon" in words(answer)
    assert not LinkedAccount.select().exists()


@pytest.mark.parametrize("rules", [{"match_address": True}])
def test_unless_the_server_is_trusted_for_addresses(visitor, server):
    alice = add("alice@lycee.example")
    assert come_in(visitor, server).status_code == 303
    assert LinkedAccount.get().user == alice


def test_a_disabled_account_stays_so(app, server):
    come_in(Browser(app), server)
    User.update(active=0).execute()
    answer = come_in(Browser(app), server)
    assert answer.status_code == 403
    assert "This account is disabled" in words(answer)


def test_the_second_step_is_asked_for(visitor, server):
    come_in(visitor, server)
    User.update(second_step=1).execute()
    other = Browser(visitor.app)
    back = server.sign_in(there(other), "alice")
    answer = other.get(back)
    assert answer.location == other.get(back).location == "/login/code"  # loaded again, too
    assert Session.get(Session.pending == True).provider_session  # noqa: E712
    assert other.get("/word").location.startswith("/login")


@pytest.mark.parametrize("rules", [{"second_step": "theirs"}])
def test_or_not_where_theirs_is_enough(visitor, server):
    come_in(visitor, server)
    User.update(second_step=1).execute()
    assert come_in(Browser(visitor.app), server).location == "/mailbox/INBOX"


def test_a_shared_computer_is_remembered_on_the_way(visitor, server):
    come_in(visitor, server, path="/login/cas?shared=1")
    assert Session.get().shared


def test_the_form_leads_on_by_a_page_and_takes_text_along(visitor, server):
    fields = {"next": "/mailbox/INBOX", "shared": "y", "kept-body": "Half a letter"}
    page = visitor.post("/login/cas", fields)
    assert page.status_code == 200
    address = re.search(r'href="([^"]*/cas/login[^"]*)"', page.text)[1].replace("&amp;", "&")
    assert visitor.get(server.sign_in(address, "alice")).location == "/mailbox/INBOX"
    row = Session.get()
    assert row.shared and "kept-sealed" in row.data and "Half a letter" not in row.data


def test_a_text_that_is_too_long_for_it_stays_in_the_page(visitor):
    page = visitor.post("/login/cas", {"next": "/x", "kept-body": secrets.token_hex(2000)})
    assert page.status_code == 422
    assert "too long to carry over" in words(page) and 'name="kept-body"' in page.text


# --- what is not taken -----------------------------------------------------------------------------------------------


def test_the_link_of_somebody_else_signs_nobody_in(app, server):
    attacker, victim = Browser(app), Browser(app)
    link = server.sign_in(there(attacker), "alice")
    answer = victim.get(link)
    assert answer.status_code == 400
    assert "started in another browser" in words(answer)
    there(victim)  # nor one who has begun something too
    assert victim.get(link).status_code == 400
    assert not Session.select().exists()


def test_many_refused_tickets_are_not_asked_about_any_more(app, visitor, server):
    here = app.extensions["settings"].sign_in_attempts
    for _ in range(5 * here - 1):
        rate_limits.note(app.extensions["settings"], RateLimit("refused answers of providers", 5 * here, QUARTER).by("127.0.0.1"))
    forged = server.sign_in(there(visitor), "alice").partition("&ticket=")[0] + "&ticket=ST-forged"
    assert visitor.get(forged).status_code == 403
    assert come_in(visitor, server).status_code == 429
    assert not Session.select().exists()


def test_a_ticket_for_another_state_is_none(visitor, server):
    mine = server.sign_in(there(visitor), "alice")
    other = server.sign_in(there(visitor), "alice")
    mixed = mine.partition("&ticket=")[0] + "&ticket=" + other.partition("&ticket=")[2]
    assert visitor.get(mixed).status_code == 403
    assert not Session.select().exists()


def test_it_is_good_once(visitor, server):
    address = there(visitor)
    link = server.sign_in(address, "alice")
    assert visitor.get(link).status_code == 303
    assert visitor.get(link).location == "/mailbox/INBOX"  # signed in already: nothing is asked
    Session.delete().execute()
    assert visitor.get(link).status_code == 400
    assert len(server.asked) == 1


def test_and_for_a_quarter_of_an_hour(visitor, server, monkeypatch):
    link = server.sign_in(there(visitor), "alice")
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 901)
    assert visitor.get(link).status_code == 400


def test_a_few_tabs_may_be_open(visitor, server):
    ways = [there(visitor) for _ in range(5)]
    assert visitor.get(server.sign_in(ways[0], "alice")).status_code == 400
    assert visitor.get(server.sign_in(ways[1], "alice")).status_code == 303


@pytest.mark.parametrize(
    ("answer", "status", "said"),
    [
        (xml(failure("INVALID_TICKET")), 403, "did not confirm this sign-in"),
        (xml(failure("UNAUTHORIZED_SERVICE")), 403, "does not know this webmail"),
        (b"", 502, "is not responding"),
        (xml("nonsense"), 502, "could not be understood"),
    ],
)
def test_what_goes_wrong_is_said_and_other_ways_stay(visitor, server, answer, status, said):
    link = server.sign_in(there(visitor, "/login/cas?next=/word"), "alice")
    server.answer = answer
    page = visitor.get(link)
    assert (page.status_code, said in words(page)) == (status, True)
    assert 'name="password"' in page.text and 'value="/word"' in page.text


def test_the_address_comes_from_the_settings_never_from_the_request(app, server):
    answer = Browser(app).get("/login/cas", headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example"})
    assert "service=https%3A%2F%2Fmail.lycee.example%2Flogin%2Fcas%2Fcallback" in answer.location
    assert "evil" not in answer.location


def test_it_leads_nowhere_else(visitor, server):
    assert come_in(visitor, server, path="/login/cas?next=//evil.example").location == "/mailbox/INBOX"


def test_without_cas_there_is_nothing(settings, alice):
    browser = Browser(build(settings))
    assert browser.get("/login/cas").status_code == browser.get("/login/cas/callback?state=a&ticket=ST-1").status_code == 404
    assert "Sign in with" not in browser.get("/login").text


# --- confirming ------------------------------------------------------------------------------------------------------


def test_who_has_no_password_here_confirms_there(visitor, server):
    come_in(visitor, server)
    page = visitor.get("/account/confirm?next=/account/recovery-codes")
    assert 'href="/account/confirm/cas?next=/account/recovery-codes"' in page.text
    assert 'name="password"' not in page.text
    way = there(visitor, "/account/confirm/cas?next=/account/recovery-codes")
    assert "renew=true" in way
    assert visitor.get(server.sign_in(way, "alice")).location == "/account/recovery-codes"
    assert Session.get().confirmed


def test_but_not_without_typing_it_nor_as_somebody_else(visitor, server):
    come_in(visitor, server)
    server.people["bob"] = {"mail": ["bob@lycee.example"]}
    refused = visitor.get(server.sign_in(there(visitor, "/account/confirm/cas"), "alice", typed=False))
    assert refused.status_code == 403
    refused = visitor.get(server.sign_in(there(visitor, "/account/confirm/cas"), "bob"))
    assert (refused.status_code, "as somebody else" in words(refused)) == (403, True)
    assert Session.get().confirmed is None


def test_a_sign_in_confirms_nothing(visitor, server):
    signing_in = there(visitor)
    come_in(visitor, server)
    assert visitor.get(server.sign_in(signing_in, "alice")).status_code == 303
    assert Session.get().confirmed is None


# --- signing out there -----------------------------------------------------------------------------------------------


def told(browser: Browser, ticket: str):
    path = "/login/cas/callback?state=x"
    return browser.client.post(path, data={"logoutRequest": sign_out(ticket)}, base_url=browser.base)


def test_who_signs_out_there_is_signed_out_here(app, server):
    browser, elsewhere = Browser(app), Browser(app)
    link = server.sign_in(there(browser), "alice")
    browser.get(link)
    come_in(elsewhere, server)
    answer = told(Browser(app), link.partition("ticket=")[2])
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store, no-cache")
    assert browser.get("/word").location.startswith("/login")
    assert elsewhere.get("/word").status_code == 200
    assert AuditEntry.get(AuditEntry.act == AuditAct.PROVIDER_SIGN_OUT).actor_address == "alice@lycee.example"


def test_a_ticket_that_is_guessed_ends_nothing(visitor, server):
    come_in(visitor, server)
    assert told(Browser(visitor.app), "ST-guessed").status_code == 200
    assert told(Browser(visitor.app), "nonsense").status_code == 400
    assert Session.select().count() == 1
