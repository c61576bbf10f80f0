"""What is in the way of a text or a file, and what the person is told: nothing typed is lost."""

from __future__ import annotations

import errno
import os
import sqlite3

import pytest

from tests.support.compose_form import FORM, file, text_of, value_of, write
from tests.support.visits import Visitor
from webmail import create_app
from webmail.auth.sessions import sessions
from webmail.database.connection import db
from webmail.errors import ServerAwayError
from webmail.imap.connections import pool
from webmail.models import AttachmentRow, DraftRow, Outbox, OutboxState
from webmail.storage import local

HUGE = 2**63
TYPED = {"to": "bob@x.example", "cc": "c@x.example", "subject": "Été", "body": "\n  long <b>text</b>\n"}


# --- the database ----------------------------------------------------------------------------------------------------


@pytest.fixture
def locked(services, database_url):
    """Somebody else has the database's write lock, for longer than one waits."""
    if database_url:
        yield from _locked_tables(database_url)
        return
    other = sqlite3.connect(services.settings()["WEBMAIL_DATABASE_URL"].removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    db.execute_sql("PRAGMA busy_timeout = 50")
    yield
    other.execute("ROLLBACK")
    other.close()
    db.execute_sql("PRAGMA busy_timeout = 5000")


def _locked_tables(database_url):
    import psycopg

    usual = db.obj.connect_params
    with psycopg.connect(database_url) as other:
        other.execute("LOCK TABLE accounts, drafts, draft_attachments, outbox IN SHARE MODE")  # the others may read
        db.close()
        db.obj.connect_params = usual | {"options": "-c lock_timeout=50"}
        yield
    db.obj.connect_params = usual
    db.close()


@pytest.mark.parametrize("action", ["save", "send", "attach"])
def test_a_locked_database_gives_the_form_back(alice, request, action):
    form = alice.get("/compose")
    request.getfixturevalue("locked")
    page = alice.submit(form, FORM, **TYPED, attachments=file(), action=action)
    assert page.status == 503
    assert "Not saved yet" in page.one("[role=alert]").get_text()
    assert "You will need to choose your files again" in page.text
    assert {name: value_of(page, name) for name in ("to", "cc", "subject")} == {n: TYPED[n] for n in ("to", "cc", "subject")}
    assert text_of(page) == TYPED["body"]
    assert page.one(FORM)["action"] == form.one(FORM)["action"]


def test_once_the_database_is_there_again_the_button_works(alice, services, monkeypatch):
    form = alice.get("/compose")
    with monkeypatch.context() as patch:
        patch.setattr(sessions, "find", away)
        page = alice.submit(form, FORM, **TYPED, action="save")
    assert page.status == 503
    assert text_of(page) == TYPED["body"]
    saved = alice.submit(page, FORM, action="save")
    assert (saved.status, text_of(saved)) == (200, TYPED["body"])
    assert DraftRow.get().subject == "Été"


def away(*_args, **_kwargs):
    from webmail.database.connection import DATABASE_AWAY

    raise DATABASE_AWAY[0]("unable to open database file")


def test_with_htmx_the_page_stays_and_a_notice_says_so(alice, request):
    form = alice.get("/compose")
    request.getfixturevalue("locked")
    for target, action in (("main", "save"), ("saved", "autosave")):
        page = alice.submit(form, FORM, **TYPED, action=action, htmx=target)
        assert (page.status, page.headers["HX-Retarget"]) == (503, "#notices")
        assert "Not saved yet" in page.text


# --- room ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
@pytest.mark.parametrize("where", ["open", "fsync"])
def test_a_full_disk_keeps_the_text(alice, monkeypatch, number, where):
    def full(*_args, **_kwargs):
        raise OSError(number, "no space left")

    target = (local, "open") if where == "open" else (os, "fsync")
    with monkeypatch.context() as patch:
        patch.setattr(*target, full, raising=False)
        page = write(alice, **TYPED, attachments=file(), action="attach")
    assert page.status == 507
    assert page.one("#attachments-field")["aria-invalid"] == "true"
    assert "out of space for files" in page.one("#attachments-error").get_text()
    assert text_of(page) == TYPED["body"] == text_of(alice.get(page.one(FORM)["action"]))
    assert AttachmentRow.select().count() == 0


def test_a_full_disk_sends_nothing_and_keeps_the_text(alice, monkeypatch, work):
    def full(*_args, **_kwargs):
        raise OSError(errno.ENOSPC, "no space left")

    page = write(alice, **TYPED, attachments=file(), action="attach")
    with monkeypatch.context() as patch:
        patch.setattr(local, "open", full, raising=False)
        page = alice.submit(page, FORM, action="send")
    assert page.status == 507
    assert "out of space for files" in page.one("#attachments-error").get_text()
    assert text_of(page) == TYPED["body"]
    assert Outbox.select().count() == 0
    alice.submit(page, FORM, action="send")
    work()
    assert Outbox.get().state == OutboxState.SENT


def test_one_person_s_drafts_have_so_much_room(services, make_account, tmp_path):
    settings = {name.removeprefix("WEBMAIL_").lower(): value for name, value in services.settings().items()}
    del settings["instance"], settings["jobs_file"], settings["uploads_folder"]
    app = create_app(tmp_path / "instance", **{**settings, "uploads_limit_mb": 1, "secure_cookies": False})
    ann, ben = (Visitor(app, make_account(name)).sign_in() for name in ("ann", "ben"))
    for subject in ("one", "two"):
        write(ann, subject=subject, attachments=file(content=subject.encode() * 150_000), action="attach")
    page = write(ann, subject="three", body="text", attachments=file("more.pdf", b"x" * 200_000), action="attach")
    assert page.status == 507
    words = page.one("#attachments-error").get_text().replace("\xa0", " ")
    assert "more.pdf" in words and "your drafts are limited to 1 MB" in words
    assert text_of(page) == "text"
    assert write(ben, attachments=file("more.pdf", b"x" * 200_000), action="attach").status == 200
    DraftRow.delete().execute()


# --- numbers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [HUGE, HUGE * 2, "9" * 5000])
def test_numbers_that_no_row_can_have_are_not_there(alice, number):
    token = alice.get("/compose").one(f"{FORM} [name=csrf_token]")["value"]
    assert alice.get(f"/outbox/{number}/state").status == 404
    assert alice.post(f"/outbox/{number}", {"action": "undo", "csrf_token": token}).status == 404
    assert alice.get(f"/draft/{number}/Drafts").status == 404
    assert alice.get(f"/draft/{number}/Drafts?v={number}").status == 404
    page = write(alice, body="text", action=f"remove:{number}")
    assert (page.status, text_of(page)) == (200, "text")


@pytest.mark.parametrize("number", [HUGE, 2**32, -1, "9" * 5000])
def test_a_source_that_no_message_can_be_is_none(alice, number):
    page = write(alice, body="text", source_mailbox="INBOX", source_uid=number, source_uidvalidity=number, action="save")
    assert (page.status, text_of(page)) == (200, "text")
    row = DraftRow.get()
    assert (row.source_uid, row.source_uidvalidity) == (0, 0)


@pytest.mark.parametrize("number", [HUGE, 2**32, -1])
def test_a_folder_s_state_that_can_not_be_is_an_old_one(alice, number):
    for address in ("draft", "reply", "forward"):
        assert alice.get(f"/{address}/1/INBOX?v={number}").status == 410


# --- one thing at a time ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("htmx", ["", "main"])
def test_a_mail_server_that_is_away_after_send_is_told_in_one_sentence(alice, monkeypatch, htmx):
    def none(*_args):
        raise ServerAwayError("connection refused")

    form = alice.get("/compose")
    pool.close_all()
    with monkeypatch.context() as patch:
        patch.setattr(pool, "_take", none)
        page = alice.submit(form, FORM, to="bob@x.example", subject="s", body="b", action="send", htmx=htmx)
    assert page.address == "/outbox"
    assert "will be sent automatically" in page.notices
    assert "on its way" not in page.text and "Sending in" not in page.text
    assert page.status == 200
    assert len(page.all(".notice")) == 1
    assert "will be sent automatically" not in alice.get("/mailbox/INBOX").notices


def test_a_refusal_is_said_once(alice, bob, work):
    write(alice, to=f"{bob.address}, nobody@lycee.example", subject="s", body="b", action="send", follow=False)
    state = f"/outbox/{Outbox.get().id}/state"
    work()
    assert Outbox.get().state == OutboxState.SENT
    told = alice.get(state)
    assert told.one("#alert")["hx-swap-oob"] == "true"
    assert len(told.all("[role=alert]")) == 1
    assert alice.get("/mailbox/INBOX").text.count("not delivered to") == 1
    here = alice.client.get(state, headers={"HX-Request": "true", "HX-Current-URL": "http://localhost/outbox"})
    assert "Sent, but not to everyone" in here.text and 'id="alert"' not in here.text


def test_a_form_beyond_any_limit_is_still_in_the_browser(alice, app):
    app.config["MAX_CONTENT_LENGTH"] = 100_000
    page = alice.get("/compose")
    refused = alice.submit(page, FORM, **TYPED, attachments=file("a.bin", b"x" * 200_000), action="attach")
    assert refused.status == 413
    assert "Your message is safe: go back in your browser to find it" in refused.text
    notice = alice.post(page.one(FORM)["action"], {"body": "x" * 200_000}, htmx="main")
    assert notice.status == 413 and "go back" not in notice.text, "with scripts the page stays as it is"
