"""The devices page: sessions, trusted browsers and app passwords; a new password is shown once."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from bs4 import BeautifulSoup

from tests.support.auth_app import Browser, build, csrf
from webmail.auth.devices import app_passwords
from webmail.auth.sessions import mail_sessions
from webmail.models import AppPassword, AuditEntry, Session, SystemMessage, TrustedDevice, now

PAGE, NEW, REVOKE, TRUST = "/devices", "/devices/new", "/devices/revoke", "/devices/trust"
PHONE = {"name": "Phone", "use": ["imap", "smtp"], "expires": ""}
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0"


@pytest.fixture
def settings(settings):
    return replace(settings, mail_server="mail.lycee.example", doveadm_key="key")


@pytest.fixture
def confirmed(visitor):
    """Somebody who has given a factor a moment ago."""
    visitor.sign_in()
    Session.update(confirmed=now()).execute()
    return visitor


def seen(visitor, answer=None) -> BeautifulSoup:
    return BeautifulSoup((answer or visitor.get(PAGE)).text, "html.parser")


def words(tag) -> str:
    return " ".join(tag.get_text(" ").split())


def made(visitor, **fields) -> BeautifulSoup:
    """The page that follows."""
    answer = visitor.post(NEW, {**PHONE, **fields}, form_at=PAGE)
    assert (answer.status_code, answer.location) == (303, "/devices#made")
    return seen(visitor)


def test_a_new_one_is_shown_once_with_what_to_type(confirmed, alice):
    page = made(confirmed)
    groups = page.select_one("[data-device-password]").get_text()
    assert re.fullmatch("[a-z]{6}( [a-z]{6}){3}", groups)
    letters = groups.replace(" ", "")
    assert AppPassword.get().sha == hashlib.sha256(letters.encode()).hexdigest()
    told = words(page.select_one(".made"))
    for one in ("“Phone”", "alice@lycee.example", "mail.lycee.example", "Port 993", "Port 465", "SSL/TLS"):
        assert one in told
    again = seen(confirmed)
    assert again.select("[data-device-password]") == []
    assert letters not in str(again)
    assert len(again.select("[data-app-password]")) == AppPassword.select().count() == 1


def test_it_is_nowhere_kept(confirmed, settings):
    confirmed.post(NEW, PHONE, form_at=PAGE)
    [stored] = [row.data for row in Session.select()]  # until it is shown, sealed with the key that only the cookie has
    letters = seen(confirmed).select_one("[data-device-password]").get_text()
    assert letters not in stored
    assert "made" in stored
    assert "made" not in Session.get().data
    assert letters not in str([row.__data__ for row in (*AppPassword.select(), *AuditEntry.select())])


def test_its_owner_is_told_by_mail_and_never_the_password(settings, alice):
    visitor = Browser(build(replace(settings, system_address="Lycée <noreply@lycee.example>")))
    visitor.sign_in()
    Session.update(confirmed=now()).execute()
    letters = made(visitor).select_one("[data-device-password]").get_text()
    visitor.post(REVOKE, {"app_password": AppPassword.get().id}, form_at=PAGE)
    mail = [row for row in SystemMessage.select().order_by(SystemMessage.id) if "app password" in row.subject]
    assert [row.subject for row in mail] == ["A new app password", "An app password was revoked"]
    for row in mail:
        assert "“Phone”" in row.body
        assert letters not in str(row.__data__)


def test_another_browser_of_the_same_person_does_not_see_it(app, confirmed):
    other = Browser(app)
    other.sign_in()
    confirmed.post(NEW, PHONE, form_at=PAGE)
    assert seen(other).select("[data-device-password]") == []
    assert seen(confirmed).select("[data-device-password]") != []


def test_nobody_makes_one_without_a_factor_given_a_moment_ago(visitor):
    visitor.sign_in()
    answer = visitor.post(NEW, PHONE, form_at=PAGE)
    assert answer.location.startswith("/account/confirm")
    Session.update(confirmed=now() - timedelta(minutes=11)).execute()
    assert visitor.post(NEW, PHONE, form_at=PAGE).location.startswith("/account/confirm")
    assert AppPassword.select().count() == 0


@pytest.mark.parametrize(("boxes", "uses"), [(["imap"], "imap"), (["smtp"], "smtp"), (["imap", "dav"], "imap caldav carddav")])
def test_it_is_for_what_was_chosen(app, confirmed, boxes, uses, monkeypatch):
    monkeypatch.setitem(app.extensions, "dav", True)
    made(confirmed, use=boxes)
    assert " ".join(app_passwords.uses_of(AppPassword.get())) == uses
    entry = AuditEntry.select().order_by(AuditEntry.id.desc()).get()
    assert (entry.act, entry.target) == ("app-password-added", "Phone")
    assert f'"uses": "{uses}"' in entry.details


def test_calendars_are_offered_where_there_are_some(app, confirmed, monkeypatch):
    assert [box["value"] for box in seen(confirmed).select("[name=use]")] == ["imap", "smtp"]
    monkeypatch.setitem(app.extensions, "dav", True)
    assert [box["value"] for box in seen(confirmed).select("[name=use]")] == ["imap", "smtp", "dav"]


def test_where_calendars_are_is_told_to_who_chose_them(app, settings, alice):
    visitor = Browser(build(replace(settings, public_url="https://webmail.lycee.example")))
    visitor.app.extensions["dav"] = True
    visitor.sign_in()
    Session.update(confirmed=now()).execute()
    assert "https://webmail.lycee.example/dav/" in words(made(visitor, use=["dav"]).select_one(".made"))
    assert "/dav/" not in words(made(visitor, use=["imap"]).select_one(".made"))


def test_its_last_day_is_a_whole_one_where_the_person_is(confirmed):
    day = (now() + timedelta(days=30)).date()
    made(confirmed, expires=day.isoformat())
    ends = datetime.fromtimestamp(AppPassword.get().expires, UTC)
    assert (ends + timedelta(hours=1)).date() in (day, day + timedelta(days=1))
    assert ends.hour in (22, 23)  # midnight in Paris


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"name": " "}, "Fill in this field."),
        ({"name": "x" * 61}, "at most 60"),
        ({"use": []}, "Choose at least one."),
        ({"use": ["imap", "all"]}, "Choose at least one."),
        ({"expires": "2001-01-01"}, "This day is over."),
        ({"expires": "9999-12-31"}, "ten years"),
        ({"expires": "tomorrow"}, "such as 2027-01-31"),
        ({"expires": "2027-02-30"}, "such as 2027-01-31"),
    ],
)
def test_what_can_not_be_is_said_and_the_rest_is_kept(confirmed, fields, problem):
    answer = confirmed.post(NEW, {**PHONE, **fields}, form_at=PAGE)
    assert answer.status_code == 422
    page = seen(confirmed, answer)
    assert problem in words(page.select_one("#new-app-password .field-error"))
    if "name" not in fields:
        assert page.select_one("[name=name]")["value"] == "Phone"
    assert AppPassword.select().count() == 0


def test_a_name_is_one_line_of_what_can_be_seen(confirmed):
    page = made(confirmed, name=" My\t\x1b[2J <b>phone</b> \n")
    assert AppPassword.get().name == "My [2J <b>phone</b>"
    assert page.select("[data-app-password] b") == []


def test_the_fifty_first_is_refused(confirmed, alice):
    for _ in range(app_passwords.MOST):
        app_passwords.add(alice, "Phone", ["imap"])
    answer = confirmed.post(NEW, PHONE, form_at=PAGE)
    assert answer.status_code == 422
    assert "You have 50 app passwords" in answer.text


def test_one_is_revoked_and_what_it_has_open_ends(confirmed, alice, monkeypatch):
    ended = []
    monkeypatch.setattr(mail_sessions, "end_app_password_soon", lambda number, _address, _settings: ended.append(number))
    _letters, row = app_passwords.add(alice, "Phone", ["imap"])
    Session.update(confirmed=None).execute()  # taking a way in away is free
    fields = {"app_password": row.id, "csrf_token": csrf(confirmed.get(PAGE))}
    for _ in range(2):
        assert confirmed.client.post(REVOKE, data=fields, base_url=confirmed.base).status_code == 303
    assert AppPassword.select().count() == 0
    assert ended == [row.id]
    assert words(seen(confirmed)).count("“Phone” can no longer sign in.") == 1
    acts = [(entry.act, entry.target) for entry in AuditEntry.select() if entry.act.startswith("app-")]
    assert acts == [("app-password-revoked", "Phone")]


@pytest.mark.parametrize("number", ["", "x", "0", "-1", str(2**70)])
def test_somebody_elses_or_none_is_not_revoked(confirmed, bob, number):
    _letters, row = app_passwords.add(bob, "Phone", ["imap"])
    for one in (number, row.id):
        confirmed.post(REVOKE, {"app_password": one}, form_at=PAGE)
    assert AppPassword.select().count() == 1


def test_the_last_use_is_shown_as_dovecot_told_it(confirmed, alice):
    _letters, row = app_passwords.add(alice, "Phone", ["imap"])
    assert "Not used yet" in words(seen(confirmed).select_one("[data-app-password]"))
    app_passwords.used(row.id, "imap", "192.0.2.1")
    told = words(seen(confirmed).select_one("[data-app-password]"))
    assert re.search(r"Last used: .* · IMAP · from 192\.0\.2\.1", told)


def test_nothing_is_said_of_the_last_use_where_nobody_tells(settings, alice):
    visitor = Browser(build(replace(settings, doveadm_key="")))
    visitor.sign_in()
    app_passwords.add(alice, "Phone", ["imap"])
    assert "Not used yet" not in visitor.get(PAGE).text


def test_one_that_is_over_says_so(confirmed, alice):
    app_passwords.add(alice, "Course", ["imap"], now() - timedelta(days=1))
    assert "Expired" in words(seen(confirmed).select_one("[data-app-password]"))


def test_where_the_mail_server_keeps_the_passwords_none_is_offered_and_the_page_says_why(settings, alice):
    visitor = Browser(build(settings))
    visitor.sign_in()
    Session.update(confirmed=now()).execute()
    object.__setattr__(visitor.app.extensions["settings"], "sign_in", "imap")
    page = seen(visitor)
    assert "Passwords are managed by the mail server here" in words(page.select_one("#app-passwords"))
    assert page.select("#new-app-password") == []
    assert visitor.post(NEW, PHONE, form_at=PAGE).status_code == 403


def test_servers_known_by_a_name_of_this_machine_are_not_shown(settings, alice):
    visitor = Browser(build(replace(settings, mail_server="")))
    visitor.sign_in()
    Session.update(confirmed=now()).execute()
    told = words(made(visitor).select_one(".made"))
    assert "127.0.0.1" not in told
    assert "Your administrator knows its name." in told


def test_this_browser_comes_first_and_each_is_described(app, visitor):
    other = Browser(app)
    other.client.environ_base["HTTP_USER_AGENT"] = FIREFOX
    visitor.sign_in()
    other.sign_in(lasting="y")
    rows = [words(row) for row in seen(visitor).select("[data-session]")]
    assert "This browser" in rows[0]
    assert "Firefox on Windows" in rows[1]
    assert "Stays signed in" in rows[1]


def test_trust_is_ended_one_by_one(confirmed, alice, bob):
    for number, user in enumerate((alice, alice, bob)):
        row = {"token_hash": str(number), "user": user, "expires": now() + timedelta(days=9), "user_agent": FIREFOX}
        TrustedDevice.create(**row)
    assert len(seen(confirmed).select("[data-trusted]")) == 2
    for number in (0, 2, 7):
        confirmed.post(TRUST, {"device": number}, form_at=PAGE)
    assert sorted(row.token_hash for row in TrustedDevice.select()) == ["1", "2"]
    assert [entry.target for entry in AuditEntry.select() if entry.act == "trust-ended"] == ["Firefox, Windows"]


def test_the_page_of_before_leads_there(confirmed):
    assert confirmed.get("/sessions").location == "/devices"


def test_an_app_password_does_not_open_the_pages(app, alice):
    letters, _row = app_passwords.add(alice, "Phone", ["imap", "smtp"])
    assert Browser(app).sign_in("alice", letters).status_code == 401
