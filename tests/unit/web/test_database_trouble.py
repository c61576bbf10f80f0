"""Database trouble (full, read-only, damaged, gone, away): a person sees a page with advice, and the text they typed."""

from __future__ import annotations

import contextlib
import io
import os
import sqlite3
from pathlib import Path

import peewee as pw
import pytest
from werkzeug.routing import IntegerConverter

from tests.support import auth_app, servers
from tests.support.broken_database import FAULTS, full, removed
from tests.support.compose_form import FORM, text_of
from tests.support.visits import Visitor
from webmail import create_app
from webmail.calendar import editing
from webmail.calendar.display import periods
from webmail.collections import store as collections
from webmail.database.connection import Sqlite, db, open_database
from webmail.models import CalendarObject, Collection, DraftRow, User
from webmail.web.responses import errors


@pytest.fixture
def app(tmp_path):
    away = servers.closed_port()
    made = create_app(
        tmp_path / "instance", sign_in="accounts", domain="lycee.example", imap_port=away, imap_security="none", smtp_port=away,
        server_timeout=1, secure_cookies=False,
    )  # fmt: skip
    auth_app.add("alice@lycee.example")
    yield made
    db.obj.close()


@pytest.fixture
def file(app) -> Path:
    return Path(app.extensions["settings"].database_url.removeprefix("sqlite:///"))


@pytest.fixture
def alice(app) -> Visitor:
    return signed_in(app, "en")


def signed_in(app, language: str) -> Visitor:
    who = Visitor(app, language=language)
    fields = {"username": "alice", "password": auth_app.PASSWORD}
    assert who.submit(who.get("/login"), "form[action='/login']", follow=False, **fields).status == 303
    return who


def is_well(page) -> bool:
    return page.status == 503 and "Traceback" not in page.text and "sqlite" not in page.text.lower()


@pytest.mark.parametrize("fault", [name for name in FAULTS if name not in ("full", "read_only")])
def test_a_page_that_reads_says_whom_to_tell(app, alice, file, fault):
    assert alice.get("/contacts").status == 200
    FAULTS[fault](file)
    page = alice.get("/contacts")
    assert is_well(page)
    assert "Tell your administrator" in page.text and "mail is safe" in page.text


@pytest.mark.parametrize("fault", ["full", "read_only"])
@pytest.mark.parametrize("address", ["/calendar", "/contacts", "/collections"])
def test_a_first_visit_shows_what_is_there_and_says_that_nothing_can_be_kept(alice, file, fault, address):
    auth_app.add("bob@lycee.example")
    FAULTS[fault](file)
    if fault == "full":
        with contextlib.suppress(pw.OperationalError):
            for number in range(1000):  # until not even a row that is as short finds room
                collections.create(User.get(address="bob@lycee.example"), str(number), "addressbook", "", "{}")
    page = alice.get(address)
    assert page.status == 200
    told = page.one("#notices").get_text()
    assert "Changes can’t be saved at the moment." in told and "ell your administrator" in told
    assert not page.all(".cal-list") and not Collection.select().where(Collection.user == User.get(address="alice@lycee.example"))


def test_what_a_first_visit_would_make_is_made_by_the_next_one(alice, file):
    FAULTS["read_only"](file)
    for view in periods.VIEWS:
        assert alice.get(f"/calendar/{view}/2026-12-08").status == 200
    db.execute_sql("PRAGMA query_only = 0")
    page = alice.get("/calendar")
    assert page.all(".cal-list input[name=shown]") and "Changes can’t be saved" not in page.text


def test_a_form_that_is_sent_without_a_calendar_is_not_answered_as_if_it_were_kept(alice, file):
    token = alice.get("/settings").all("[name=csrf_token]")[0]["value"]
    FAULTS["read_only"](file)
    assert alice.client.post("/calendar/shown", data={"csrf_token": token}).status_code == 503


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("action", ["save", "send", "autosave"])
def test_the_text_stays_on_the_page(alice, file, fault, action):
    form, text = alice.get("/compose"), "long text\n" * 2000
    FAULTS[fault](file)
    page = alice.submit(form, FORM, to="bob@lycee.example", subject="Été", body=text, action=action)
    assert is_well(page)
    assert "Not saved yet" in page.text and "ell your administrator" in page.text
    assert text_of(page) == text


@pytest.mark.parametrize("fault", FAULTS)
def test_no_address_answers_500(app, alice, file, fault):
    """Whoever asks, and whatever for."""
    app.config["PROPAGATE_EXCEPTIONS"] = False
    token = alice.get("/compose").one(f"{FORM} [name=csrf_token]")["value"]
    form, asked, stranger = {"csrf_token": token, "subject": "x" * 9000, "body": "y" * 9000}, 0, Visitor(app)
    FAULTS[fault](file)
    for rule, method in addresses(app):
        for who in (alice, stranger):
            answer = who.client.open(rule, method=method, data=form if method == "POST" else None)
            assert answer.status_code != 500, f"{method} {rule}"
            answer.close()
            asked += 1
    assert asked > 100


def addresses(app):
    """Each address of the application, with something in the place of what varies; not what would end the session or wait."""
    for rule in app.url_map.iter_rules():
        names = {name: 1 if isinstance(kind, IntegerConverter) else "x" * 32 for name, kind in rule._converters.items()}
        built = rule.build(names)
        if built and rule.endpoint not in ("static", "auth.logout", "mailbox.changes"):
            yield from ((built[1], method) for method in sorted({"GET", "POST"} & rule.methods))


def test_in_french_too(app, file):
    alice = signed_in(app, "fr")
    removed(file)
    page = alice.get("/contacts")
    assert page.status == 503
    assert "administrateur" in page.text and "administrator" not in page.text


def test_after_making_room_the_button_works(alice, file):
    form, text = alice.get("/compose"), "long text\n" * 2000
    full(file)
    page = alice.submit(form, FORM, body=text, action="autosave")
    assert "out of space" in page.text
    db.execute_sql("PRAGMA max_page_count = 1000000")
    alice.submit(page, FORM, action="autosave")
    assert DraftRow.get().body == text


def test_a_database_put_back_in_its_place_is_used_at_once(alice, file, tmp_path):
    """Nothing is written into the file that has no name any more."""
    db.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    with sqlite3.connect(file) as source, sqlite3.connect(tmp_path / "copy.sqlite") as copy:
        source.backup(copy)
    removed(file)
    assert alice.get("/contacts").status == 503
    assert not file.exists()
    os.replace(tmp_path / "copy.sqlite", file)
    assert alice.get("/contacts").status == 200
    assert User.get().address == "alice@lycee.example"


def test_a_server_that_is_away_is_waited_for(app, alice):
    pytest.importorskip("psycopg")
    usual = db.obj
    open_database(f"postgresql://nobody@127.0.0.1:{servers.closed_port()}/none")
    try:
        page = alice.get("/contacts")
    finally:
        db.obj.close()
        db.initialize(usual)
    assert page.status == 503
    assert "Wait a moment and try again" in page.text


def test_health_is_not_ok(app, file):
    removed(file)
    visitor = Visitor(app)
    assert visitor.get("/healthz").status == 503
    assert visitor.get("/healthz?full").status == 503


class Crossed(Exception):
    sqlstate = "40P01"  # a deadlock, on PostgreSQL


def crossed() -> pw.OperationalError:
    error = pw.OperationalError("deadlock detected")
    error.orig = Crossed()
    return error


def test_what_was_typed_stays_where_somebody_else_was_faster(app, alice, monkeypatch):
    """On a page without scripts too: a browser that goes back may show an empty form."""
    form = alice.get("/calendar/events/new")
    with monkeypatch.context() as patch:
        patch.setattr(editing, "write", raises(crossed()))
        page = alice.submit(form, "main form[method=post]", title="Été <b>", notes='one\ntwo "three"')
    assert page.status == 503 and "deadlock" not in page.text
    assert "Somebody changed the same thing at this moment" in page.text and "What you typed is kept" in page.text
    assert not CalendarObject.select().exists()
    saved = alice.submit(page, "form[method=post]")
    assert saved.status < 400
    text = CalendarObject.get().text
    assert "SUMMARY:Été <b>" in text and 'DESCRIPTION:one\\ntwo "three"' in text


def test_no_password_is_repeated_on_a_page(app, monkeypatch):
    who = Visitor(app)
    form = who.get("/login")
    monkeypatch.setattr(Sqlite, "execute_sql", raises(crossed()))
    page = who.submit(form, "form[action='/login']", follow=False, username="alice", password=auth_app.PASSWORD)
    assert auth_app.PASSWORD not in page.text


def test_an_upload_that_is_read_as_it_comes_is_not_read_for_the_page(app):
    class Unread(io.RawIOBase):
        def readinto(self, _buffer):
            raise AssertionError("it was read")

    huge = {"wsgi.input": Unread(), "CONTENT_LENGTH": str(10**9)}
    with app.test_request_context("/x", method="POST", content_type="multipart/form-data; boundary=x", environ_overrides=huge):
        assert errors.sent_fields() == []
    with app.test_request_context("/x", method="POST", data={"a": ["1", "2"], "b": "3"}):
        assert errors.sent_fields() == [("a", "1"), ("a", "2"), ("b", "3")]


def raises(error: Exception):
    def fail(*_given, **_named):
        raise error

    return fail
