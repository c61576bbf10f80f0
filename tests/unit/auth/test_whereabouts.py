"""Where the cookie of a session turns up: shown, told once where it seems to be copied, and over by another token."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.support.auth_app import PASSWORD, Browser, build
from webmail import audit, vault
from webmail.auth.sessions import sessions, whereabouts
from webmail.models import Session, SystemMessage, User, now

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
NEWER = FIREFOX.replace("140", "141")
CHROME = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0 Safari/537.36"
HOME, AWAY, ELSEWHERE = "192.0.2.1", "198.51.100.7", "203.0.113.9"


@pytest.fixture
def settings(settings):
    return replace(settings, system_address="Lycée <pages@lycee.example>", system_password="x", recovery_address="off")


@pytest.fixture
def signed_in(app):
    browser = Browser(app)
    comes_from(browser, FIREFOX, HOME)
    browser.sign_in()
    return browser


def comes_from(browser, agent: str, network: str) -> None:
    browser.client.environ_base.update({"HTTP_USER_AGENT": agent, "REMOTE_ADDR": network})


def copy_of(browser, agent: str, network: str) -> Browser:
    thief = Browser(browser.app)
    comes_from(thief, agent, network)
    thief.client.set_cookie("__Host-traboule", browser.cookie().value, domain="mail.lycee.example", secure=True)
    return thief


def told() -> int:
    return SystemMessage.select().where(SystemMessage.subject == "Your session is in use somewhere else").count()


def test_a_copy_in_another_browser_and_network_is_told_once(signed_in, alice):
    thief = copy_of(signed_in, CHROME, AWAY)
    for _ in range(3):
        assert thief.get("/mailbox/INBOX").status_code == 200
        signed_in.get("/mailbox/INBOX")
    copy_of(signed_in, "curl/8.1", ELSEWHERE).get("/mailbox/INBOX")
    assert told() == 1
    letter = SystemMessage.select().order_by(SystemMessage.id.desc()).get()
    assert letter.recipient == alice.address
    [entry] = audit.search(act="session-elsewhere")[0]
    assert (entry.actor_address, entry.network, entry.target) == (alice.address, AWAY, "Chrome, Windows")
    shown = signed_in.get("/devices").text
    for words in ("Chrome on Windows · 198.51.100.7", "Firefox on Linux · 192.0.2.1", "curl · 203.0.113.9"):
        assert words in " ".join(shown.split())


@pytest.mark.parametrize(
    ("agent", "network"),
    [(FIREFOX, AWAY), (CHROME, HOME), (NEWER, AWAY), (NEWER, HOME)],
    ids=["telephone", "agent", "both", "update"],
)
def test_a_telephone_that_travels_and_a_browser_that_is_updated_are_no_copies(signed_in, agent, network):
    comes_from(signed_in, agent, network)
    signed_in.get("/mailbox/INBOX")
    assert told() == 0
    assert whereabouts.for_session(Session.get())[-1].network == network


def test_where_nothing_is_new_nothing_is_asked_or_written(signed_in, queries):
    signed_in.get("/mailbox/INBOX")
    usual = len(queries)
    copy_of(signed_in, CHROME, AWAY).get("/mailbox/INBOX")
    del queries[:]
    for browser in (signed_in, copy_of(signed_in, CHROME, AWAY)):
        del queries[:]
        browser.get("/mailbox/INBOX")
        assert len(queries) == usual


def test_the_last_visit_is_written_each_hour(signed_in, monkeypatch):
    comes_from(signed_in, CHROME, HOME)
    signed_in.get("/mailbox/INBOX")
    later = now() + timedelta(minutes=61)
    monkeypatch.setattr(whereabouts, "now", lambda: later)
    signed_in.get("/mailbox/INBOX")
    assert whereabouts.for_session(Session.get())[-1].last == later.replace(microsecond=0)


def test_many_places_do_not_fill_the_row(signed_in):
    for number in range(60):
        comes_from(signed_in, FIREFOX, f"198.51.100.{number}")
        signed_in.get("/mailbox/INBOX")
    found = whereabouts.for_session(Session.get())
    assert len(found) == 20 and found[0].network == HOME and found[-1].network == "198.51.100.59"
    assert told() == 0


def test_two_requests_at_once_tell_once(signed_in):
    rows = [Session.get() for _ in range(2)]
    assert [whereabouts.note(row, CHROME, AWAY) for row in rows] == [True, False]


# --- another token ---------------------------------------------------------------------------------------------------


def test_signing_out_everywhere_else_ends_copies_of_this_one(signed_in):
    thief, before = copy_of(signed_in, FIREFOX, HOME), signed_in.cookie().value
    assert thief.get("/mailbox/INBOX").status_code == 200
    signed_in.get("/remember/word")
    open_form = signed_in.get("/devices")
    assert signed_in.post("/sessions", {"action": "others"}, form_at="/devices").location == "/devices"
    assert signed_in.cookie().value != before and Session.select().count() == 1
    assert thief.get("/mailbox/INBOX").status_code == 302
    assert signed_in.get("/word").text == "word"
    assert "signed out everywhere else" in signed_in.get("/devices").text
    assert open_form.status_code == 200


def test_a_form_that_was_open_in_another_tab_is_still_good(signed_in):
    from tests.support.auth_app import csrf

    token = csrf(signed_in.get("/devices"))
    signed_in.post("/sessions", {"action": "others"}, form_at="/devices")
    answer = signed_in.client.post("/sessions", data={"csrf_token": token, "action": "others"}, base_url=signed_in.base)
    assert answer.status_code == 303 and signed_in.get("/mailbox/INBOX").status_code == 200


def test_what_is_sealed_by_the_token_can_be_opened_by_the_new_one(signed_in, alice, settings):
    """The mail password, and what pages keep in the session."""
    assert f"password {PASSWORD!r}" in signed_in.get("/mailbox/INBOX").text
    sealed = vault.seal_for_session("letters", signed_in.cookie().value, settings.secret_key, alice.id)
    text = base64.b64encode(sealed).decode()
    sessions.update_data(Session.get().id_hash, lambda data: data[:-1] + f', "sealed": [7, "{text}"], "plain": "AQID"' + "}")
    signed_in.post("/sessions", {"action": "others"}, form_at="/devices")
    assert f"password {PASSWORD!r}" in signed_in.get("/mailbox/INBOX").text
    data = build(settings).session_interface.loads(Session.get().data)
    kept = base64.b64decode(data["sealed"][1])
    assert vault.open_for_session(kept, signed_in.cookie().value, settings.secret_key, alice.id) == "letters"
    assert (data["sealed"][0], data["plain"]) == (7, "AQID")


def test_a_session_that_has_ended_meanwhile_does_not_come_back(signed_in, alice, settings):
    row, token = Session.get(), signed_in.cookie().value
    User.update(name="x").execute()
    Session.delete().execute()
    assert sessions.renew(row, token, settings, lambda data, _before, _after: data) == ""
    assert not Session.select().exists()
