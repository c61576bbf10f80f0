"""Visits: signing in and out, being led there and back, and what the browser and the tables hold afterwards."""

import re
import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.support.auth_app import PASSWORD, Browser, build, csrf
from webmail.auth.factors import second_step
from webmail.auth.factors.second_step import Factor
from webmail.auth.passwords import hashing
from webmail.auth.sessions import endings, sessions
from webmail.auth.sign_in import waiting_lines
from webmail.auth.views import sign_in as views
from webmail.database.connection import db
from webmail.errors import ServerAwayError, SignInRefusedError
from webmail.models import Session, User, now

# --- in and out ------------------------------------------------------------------------------------------------------


def test_signing_in_leads_to_the_inbox(visitor):
    answer = visitor.sign_in()
    assert (answer.status_code, answer.location) == (303, "/mailbox/INBOX")
    assert "INBOX of alice@lycee.example" in visitor.get("/mailbox/INBOX").text


def test_the_form_works_without_scripts_and_with_password_managers(visitor):
    page = visitor.get("/login").text
    for piece in (
        'method="post"',
        'action="/login"',
        'autocomplete="username"',
        'autocomplete="current-password"',
        'name="shared"',
    ):
        assert piece in page
    assert "style=" not in page


def test_somebody_signed_in_is_not_asked_again(visitor):
    visitor.sign_in()
    assert visitor.get("/login").location == "/mailbox/INBOX"


def test_a_wrong_password_keeps_the_name_and_says_so(visitor):
    answer = visitor.sign_in(password="wrong", name='al"ice')
    assert answer.status_code == 401
    assert 'role="alert"' in answer.text
    assert 'value="al&#34;ice"' in answer.text
    assert "wrong" not in answer.text
    assert Session.select().count() == 0


def test_who_exists_does_not_show(visitor):
    known, unknown = (visitor.sign_in(name=name, password="wrong") for name in ("alice", "mallory"))
    assert known.status_code == unknown.status_code == 401
    assert known.text.replace("alice", "").count("<") == unknown.text.replace("mallory", "").count("<")


def test_too_many_attempts_say_when_to_come_back(visitor):
    for _ in range(10):
        visitor.sign_in(password="wrong")
    answer = visitor.sign_in()
    assert answer.status_code == 429
    assert "again in 5 seconds." in answer.text
    assert answer.headers["Retry-After"] == "5"


def test_who_waits_as_told_gets_in_on_a_new_browser_while_others_go_on_guessing(app, visitor, monkeypatch):
    stranger, clock = Browser(app), [time.time()]
    monkeypatch.setattr(waiting_lines.time, "time", lambda: clock[0])
    for _ in range(10):
        stranger.sign_in(password="wrong")
    assert visitor.sign_in().status_code == 429
    for _ in range(30):
        assert stranger.sign_in(password="wrong").status_code == 429  # never stops, so it never has waited
        clock[0] += 0.4
    assert visitor.sign_in().status_code == 303


def test_others_guesses_do_not_lock_a_person_out_of_their_browser(app, visitor):
    visitor.sign_in()
    visitor.post("/logout", form_at="/devices")
    stranger = Browser(app)
    for _ in range(10):
        stranger.sign_in(password="wrong")
    assert stranger.sign_in().status_code == 429
    assert visitor.sign_in().status_code == 303


def test_the_cookie_of_a_known_browser(visitor):
    header = next(h for h in visitor.sign_in().headers.getlist("Set-Cookie") if h.startswith("__Host-traboule-known="))
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax", "Max-Age=15552000"} <= set(header.split("; "))
    assert "alice" not in header


def test_a_shared_computer_is_not_remembered(visitor):
    visitor.sign_in(shared="y")
    assert visitor.cookie("__Host-traboule-known") is None


def test_a_mail_server_away_is_said_in_a_sentence(settings, alice, monkeypatch):
    def away(_account) -> None:
        raise ServerAwayError("connection refused")

    monkeypatch.setattr(views.imap, "check", away)
    answer = Browser(build(replace(settings, sign_in="imap"))).sign_in()
    assert answer.status_code == 502
    assert "mail server is not responding" in answer.text
    assert "connection refused" not in answer.text


def test_an_imap_servers_password_is_at_hand_in_the_session(settings, alice, monkeypatch):
    def check(account) -> None:
        if account.credential.password != "at the server":
            raise SignInRefusedError("no")

    monkeypatch.setattr(views.imap, "check", check)
    visitor = Browser(build(replace(settings, sign_in="imap")))
    visitor.sign_in(password="at the server")
    assert "password 'at the server'" in visitor.get("/mailbox/INBOX").text


def test_signing_out_ends_row_and_cookies(visitor):
    visitor.sign_in()
    old = visitor.cookie().value
    answer = visitor.post("/logout", form_at="/devices")
    assert (answer.status_code, answer.location) == (303, "/login")
    assert '"cookies"' not in answer.headers["Clear-Site-Data"]
    assert Session.select().count() == 0
    assert visitor.cookie() is None
    assert "You are signed out." in visitor.get("/login").text
    visitor.client.set_cookie("__Host-traboule", old, domain="mail.lycee.example", secure=True)
    assert visitor.get("/mailbox/INBOX").location.startswith("/login")


def test_signing_out_twice_is_no_mistake(visitor):
    visitor.sign_in()
    token = csrf(visitor.get("/devices"))
    for _ in range(2):
        answer = visitor.client.post("/logout", data={"csrf_token": token}, base_url=visitor.base)
        assert (answer.status_code, answer.location) == (303, "/login")


# --- a database that takes no writes ---------------------------------------------------------------------------------


@pytest.fixture
def lock(database):
    """`lock()`: somebody else writes from now on."""
    with closing(sqlite3.connect(database.removeprefix("sqlite:///"), isolation_level=None)) as other:

        def begin() -> None:
            db.execute_sql("PRAGMA busy_timeout = 50")
            other.execute("BEGIN IMMEDIATE")

        yield begin


def test_a_good_answer_stays_one_when_the_session_is_not_saved(visitor, lock, caplog):
    visitor.sign_in()
    lock()
    assert visitor.get("/remember/word").text == "remembered"
    assert "is not saved" in caplog.text


def test_a_sign_in_that_is_not_stored_fails_and_gives_no_cookie(visitor, lock, monkeypatch):
    monkeypatch.setattr(views, "sign_in", lambda *_args, **_kwargs: User.get())
    page = csrf(visitor.get("/login"))
    lock()
    answer = visitor.client.post("/login", data={"csrf_token": page, "username": "alice"}, base_url=visitor.base)
    assert answer.status_code == 503
    assert visitor.cookie() is None


def test_the_text_that_was_kept_is_stored_with_the_sign_in_or_not_at_all(visitor):
    visitor.post("/login", {"username": "alice", "password": PASSWORD, "kept-body": "my words", "next": "/word"})
    assert "kept-sealed" in Session.get().data and "my words" not in Session.get().data


# --- cookies ---------------------------------------------------------------------------------------------------------


def test_the_cookie_over_tls(visitor):
    header = next(h for h in visitor.sign_in().headers.getlist("Set-Cookie") if h.startswith("__Host-traboule="))
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax", "Max-Age=1209600"} <= set(header.split("; "))
    assert "Domain" not in header


def test_the_cookie_over_plain_http(settings, alice):
    header = next(
        h
        for h in Browser(build(replace(settings, secure_cookies=False)), "http://localhost")
        .sign_in()
        .headers.getlist("Set-Cookie")
        if h.startswith("traboule=")
    )
    assert {"HttpOnly", "Path=/", "SameSite=Lax"} <= set(header.split("; "))
    assert "Secure" not in header


def test_on_a_shared_computer_the_cookie_goes_with_the_window(visitor):
    header = next(h for h in visitor.sign_in(shared="y").headers.getlist("Set-Cookie") if h.startswith("__Host-traboule="))
    assert "Max-Age" not in header
    assert "Expires" not in header
    assert Session.get().shared


def test_a_visitor_gets_no_row_and_only_a_signed_cookie(visitor):
    for path in ("/login", "/mailbox/INBOX", "/nowhere", "/login?next=/word", "/language/fr") * 5:
        visitor.get(path)
    visitor.post("/login", {"username": "alice", "password": "wrong"})
    assert Session.select().count() == 0
    assert visitor.cookie() is None
    assert visitor.cookie("__Host-traboule-visitor").http_only


def test_a_forged_or_odd_cookie_is_a_visitors(visitor):
    for value in ("x", "x" * 3000, "%00", sessions.hash_token("x")):
        visitor.client.set_cookie("__Host-traboule", value, domain="mail.lycee.example", secure=True)
        visitor.client.set_cookie("__Host-traboule-visitor", value, domain="mail.lycee.example", secure=True)
        assert visitor.get("/mailbox/INBOX").location.startswith("/login")
        assert visitor.get("/login").status_code == 200


def test_signing_in_starts_anew_but_for_the_language(visitor):
    visitor.get("/language/fr")
    visitor.sign_in()
    first = visitor.cookie().value
    with visitor.client.session_transaction(base_url=visitor.base) as kept:
        assert kept["language"] == "fr"
        assert "planted" not in kept
    visitor.get("/remember/secret-of-the-first-sign-in")
    visitor.post("/logout", form_at="/devices")
    visitor.sign_in()
    assert visitor.cookie().value != first
    assert visitor.get("/word").text == "nothing"


def test_a_planted_session_is_not_taken_over(app, visitor):
    """Fixation: what an attacker knows beforehand is worth nothing once the victim has signed in."""
    attacker = Browser(app)
    attacker.sign_in()
    planted = attacker.cookie().value
    visitor.client.set_cookie("__Host-traboule", planted, domain="mail.lycee.example", secure=True)
    attacker.post("/logout", form_at="/devices")
    visitor.sign_in()
    assert visitor.cookie().value != planted
    assert attacker.get("/mailbox/INBOX").status_code == 302


def test_signing_in_over_a_session_ends_the_old_one(app, visitor):
    visitor.sign_in()
    token = csrf(visitor.get("/devices"))
    visitor.client.post("/login", data={"csrf_token": token, "username": "alice", "password": PASSWORD}, base_url=visitor.base)
    assert Session.select().count() == 1


def test_the_database_alone_and_the_cookie_alone_do_not_give_the_password(visitor, settings):
    visitor.sign_in()
    token, row = visitor.cookie().value, Session.get()
    assert PASSWORD.encode() not in bytes(row.credential)
    for other_token, other_secret in (("", settings.secret_key), (row.id_hash, settings.secret_key), (token, "guess")):
        with pytest.raises(sessions.vault.CannotOpenError):
            sessions.credential(row, other_token, replace(settings, secret_key=other_secret))
    assert sessions.credential(row, token, settings) == PASSWORD


def test_another_secret_of_the_instance_means_signing_in_again(visitor, settings):
    visitor.sign_in()
    moved = Browser(build(replace(settings, secret_key="another")))
    moved.client.set_cookie("__Host-traboule", visitor.cookie().value, domain="mail.lycee.example", secure=True)
    assert "password None" in moved.get("/mailbox/INBOX").text
    assert moved.get("/mailbox/INBOX").location.startswith("/login")


# --- what is asked of the database -----------------------------------------------------------------------------------


def test_static_files_and_health_ask_nothing(visitor, queries):
    visitor.sign_in()
    queries.clear()
    static = visitor.get("/static/vendor/htmx-2.0.11.min.js")
    assert static.status_code == visitor.get("/healthz").status_code == 200
    assert "Cookie" not in static.headers.get("Vary", "")
    assert queries == []


def test_a_page_asks_once_and_writes_nothing(visitor, queries):
    visitor.sign_in()
    queries.clear()
    visitor.get("/mailbox/INBOX")
    assert [query.split()[0] for query in queries] == ["SELECT"]


def test_two_tabs_keep_what_each_wrote_and_both_stay_in(app, visitor):
    visitor.sign_in()
    with visitor.client.session_transaction(base_url=visitor.base) as slow_tab:
        slow_tab["slow"] = 1
        visitor.get("/remember/meanwhile")
    assert visitor.get("/word").text == "meanwhile"
    with visitor.client.session_transaction(base_url=visitor.base) as now_:
        assert now_["slow"] == 1


def test_forms_of_two_tabs_opened_at_once_both_work(visitor):
    visitor.sign_in()
    tokens = [csrf(visitor.get("/devices")) for _ in range(2)]
    for token in tokens:
        answer = visitor.client.post("/sessions", data={"csrf_token": token, "action": "others"}, base_url=visitor.base)
        assert answer.status_code == 303


# --- behind a reverse proxy --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("proxies", "network"), [(0, "127.0.0.1"), (1, "198.51.100.7"), (2, "192.0.2.9")])
def test_only_so_many_proxies_are_believed(settings, alice, proxies, network):
    visitor = Browser(build(replace(settings, proxies=proxies)))
    visitor.client.environ_base["HTTP_X_FORWARDED_FOR"] = "192.0.2.9, 198.51.100.7"
    visitor.sign_in()
    assert Session.get().network == network


# --- being led there and back ----------------------------------------------------------------------------------------


def test_a_page_leads_to_the_sign_in_page_and_back(visitor):
    answer = visitor.get("/mailbox/Work/2024?page=2&query=from:bob")
    assert answer.status_code == 302
    assert answer.location == "/login?next=/mailbox/Work/2024?page%3D2%26query%3Dfrom:bob"
    page = visitor.get(answer.location)
    assert 'name="next"' in page.text
    answer = visitor.sign_in(next="/mailbox/Work/2024?page=2&query=from:bob")
    assert answer.location == "/mailbox/Work/2024?page=2&query=from:bob"


@pytest.mark.parametrize(
    "trick",
    [
        "https://evil.example/",
        "//evil.example/",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "\t//evil.example",
        " //evil.example",
        "/\u2028/evil.example",
        "javascript:alert(1)",
        "data:text/html,x",
        "evil.example",
        "http:evil.example",
        "/" + "x" * 5000,
    ],
)
def test_next_never_leaves_this_site(visitor, trick):
    shown = visitor.get("/login", query_string={"next": trick})
    assert re.search(r'name="next" type="hidden" value="([^"]*)"', shown.text)[1] == ""
    assert visitor.sign_in(next=trick).location == "/mailbox/INBOX"
    assert visitor.get("/login", query_string={"next": trick}).location == "/mailbox/INBOX"


def test_a_form_sent_after_the_end_says_that_nothing_was_done(visitor):
    answer = visitor.client.post(
        "/mailbox/INBOX", base_url=visitor.base, headers={"Referer": f"{visitor.base}/mailbox/INBOX?page=2"}
    )
    assert (answer.status_code, answer.location) == (303, "/login?next=/mailbox/INBOX?page%3D2")
    assert "nothing was changed" in visitor.get(answer.location).text


def test_a_form_from_another_site_leads_nowhere_else(visitor):
    answer = visitor.client.post("/mailbox/INBOX", base_url=visitor.base, headers={"Referer": "https://evil.example/x"})
    assert answer.location == "/login"


def test_htmx_is_told_to_leave_the_page(visitor):
    headers = {"HX-Request": "true", "HX-Current-URL": f"{visitor.base}/mailbox/INBOX?page=3"}
    for method in ("GET", "POST"):
        answer = visitor.client.open("/mailbox/INBOX", method=method, headers=headers, base_url=visitor.base)
        assert answer.headers["HX-Redirect"] == "/login?next=/mailbox/INBOX?page%3D3"
    elsewhere = visitor.get("/word", headers={"HX-Request": "true", "HX-Current-URL": "https://evil.example/x"})
    assert elsewhere.headers["HX-Redirect"] == "/login"


def test_a_boosted_link_leads_back_to_where_it_went(visitor):
    headers = {"HX-Request": "true", "HX-Boosted": "true", "HX-Current-URL": f"{visitor.base}/mailbox/INBOX"}
    assert visitor.get("/mailbox/Sent", headers=headers).headers["HX-Redirect"] == "/login?next=/mailbox/Sent"


def test_an_address_that_is_nowhere_needs_no_sign_in(visitor):
    assert visitor.get("/nowhere").status_code == 404


# --- CSRF ------------------------------------------------------------------------------------------------------------


def test_a_sign_in_without_the_forms_token_is_refused(visitor):
    answer = visitor.client.post("/login", data={"username": "alice", "password": PASSWORD}, base_url=visitor.base)
    assert answer.status_code == 400
    assert Session.select().count() == 0
    assert 'name="csrf_token"' in answer.text, "a fresh form is shown"


@pytest.mark.parametrize("path", ["/logout", "/sessions", "/mailbox/INBOX"])
def test_forms_of_the_signed_in_need_the_token(visitor, path):
    visitor.sign_in()
    assert visitor.client.post(path, base_url=visitor.base).status_code == 400
    assert Session.select().count() == 1


def test_the_token_from_before_the_sign_in_is_worth_nothing_after(visitor):
    before = csrf(visitor.get("/login"))
    visitor.sign_in()
    assert visitor.client.post("/logout", data={"csrf_token": before}, base_url=visitor.base).status_code == 400


# --- where one is signed in ------------------------------------------------------------------------------------------

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
def elsewhere(app):
    browser = Browser(app)
    page = browser.get("/login")
    data = {"csrf_token": csrf(page), "username": "alice", "password": PASSWORD}
    browser.client.post("/login", data=data, base_url=browser.base, headers={"User-Agent": FIREFOX})
    return browser


def test_the_page_lists_all_and_marks_this_one(visitor, elsewhere):
    visitor.sign_in()
    page = visitor.get("/devices").text
    assert page.count("data-session") == 2
    assert page.count("This browser") == 1
    assert "Firefox on Windows" in page
    assert "127.0.0.1" in page


def test_one_can_be_ended_and_is_out_at_its_next_request(visitor, elsewhere):
    visitor.sign_in()
    id_hash = sessions.hash_token(elsewhere.cookie().value)
    visitor.post("/sessions", {"session": id_hash}, form_at="/devices")
    assert elsewhere.get("/mailbox/INBOX").status_code == 302
    assert visitor.get("/mailbox/INBOX").status_code == 200


def test_all_others_can_be_ended(visitor, elsewhere):
    visitor.sign_in()
    answer = visitor.post("/sessions", {"action": "others"}, form_at="/devices")
    assert answer.location == "/devices"
    assert "1 other browser is signed out" in visitor.get("/devices").text
    assert elsewhere.get("/mailbox/INBOX").status_code == 302


def test_ending_this_one_is_signing_out(visitor):
    visitor.sign_in()
    here = sessions.hash_token(visitor.cookie().value)
    assert visitor.post("/sessions", {"session": here}, form_at="/devices").location == "/login"
    assert visitor.cookie() is None


def test_the_sessions_of_another_person_stay(app, visitor, bob):
    bobs = Browser(app)
    bobs.sign_in("bob")
    visitor.sign_in()
    visitor.post("/sessions", {"session": sessions.hash_token(bobs.cookie().value)}, form_at="/devices")
    visitor.post("/sessions", {"action": "others"}, form_at="/devices")
    assert bobs.get("/mailbox/INBOX").status_code == 200


def test_a_browser_with_markup_in_its_name_is_text(app, visitor):
    page = visitor.get("/login")
    data = {"csrf_token": csrf(page), "username": "alice", "password": PASSWORD}
    visitor.client.post("/login", data=data, base_url=visitor.base, headers={"User-Agent": "<script>alert(1)</script>"})
    assert "<script>alert" not in visitor.get("/devices").text


@pytest.mark.parametrize(("shared", "idle"), [("", timedelta(hours=12, minutes=1)), ("y", timedelta(minutes=21))])
def test_a_long_absence_signs_out(visitor, shared, idle):
    visitor.sign_in(shared=shared)
    Session.update(seen=now() - idle).execute()
    assert visitor.get("/mailbox/INBOX").status_code == 302


def test_switching_somebody_off_is_felt_at_the_next_request(visitor, alice):
    visitor.sign_in()
    alice.active = 0
    alice.save()
    assert visitor.get("/mailbox/INBOX").status_code == 302
    assert hashing.verify(alice.password, PASSWORD)


@pytest.mark.parametrize("second_step", [0, 1])
def test_a_password_that_is_changed_while_it_is_checked_opens_nothing(visitor, alice, settings, monkeypatch, second_step):
    """As by the owner, who has all sessions ended while whoever stole it keeps signing in."""
    User.update(second_step=second_step).execute()
    verify = hashing.verify

    def meanwhile(stored, typed):
        right = verify(stored, typed)
        User.update(password=hashing.hash_password("cheval pile agrafe nuage")).where(User.id == alice.id).execute()
        endings.end_everything_else(alice, settings)
        return right

    monkeypatch.setattr(hashing, "verify", meanwhile)
    assert visitor.sign_in().location.startswith("/login")
    assert visitor.get("/mailbox/INBOX").location.startswith("/login") and not Session.select().exists()


@pytest.mark.parametrize("change", [{"password": "another"}, {"active": 0}])
def test_nor_does_the_second_step_of_a_sign_in_that_began_before(visitor, alice, monkeypatch, change):
    User.update(second_step=1).execute()
    visitor.sign_in()

    def meanwhile(*_args, **_more):
        User.update(change).where(User.id == alice.id).execute()
        Session.delete().execute()
        return Factor.APP

    monkeypatch.setattr(second_step, "check_code", meanwhile)
    visitor.post("/login/code", {"code": "123456"}, form_at="/login/code")
    assert not Session.select().exists()
