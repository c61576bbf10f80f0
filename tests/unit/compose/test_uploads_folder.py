"""Uploads folder that can't be read: what was typed stays, the page says what is wrong, and so do health and the doctor."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest

from tests.support import auth_app, servers
from tests.support.compose_form import FORM, file, text_of
from tests.support.ordinary_user import ordinary_user
from tests.support.visits import Visitor
from webmail import create_app, health
from webmail.database.connection import db
from webmail.doctor import machine
from webmail.models import AttachmentRow, DraftRow, Outbox
from webmail.storage.local import MARK

TYPED = {"to": "bob@lycee.example", "subject": "Été", "body": "long text\n"}
AWAY = "can’t reach its files"


@pytest.fixture
def instance():
    """Where an ordinary user gets to."""
    with tempfile.TemporaryDirectory(prefix="traboule-uploads-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder) / "instance"


@pytest.fixture
def app(instance):
    away = servers.closed_port()
    made = create_app(
        instance, sign_in="accounts", domain="lycee.example", imap_port=away, imap_security="none", smtp_port=away,
        server_timeout=1, secure_cookies=False, undo_seconds=0,
    )  # fmt: skip
    auth_app.add("alice@lycee.example")
    yield made
    db.obj.close()


@pytest.fixture
def uploads(app) -> Path:
    return Path(app.extensions["settings"].uploads_folder)


@pytest.fixture
def form(app):
    """A draft of hers with a file, on her screen."""
    alice = Visitor(app)
    fields = {"username": "alice", "password": auth_app.PASSWORD}
    alice.submit(alice.get("/login"), "form[action='/login']", follow=False, **fields)
    page = alice.submit(alice.get("/compose"), FORM, **TYPED, attachments=file("first.txt", b"first"), action="attach")
    assert (page.status, AttachmentRow.select().count()) == (200, 1), page.text
    return alice, page


@pytest.fixture(params=["closed", "a file", "gone", "another disk", "its folders closed"])
def broken(request, instance, uploads, form):
    """The folder as an administrator's slip leaves it. Returns what mends it."""
    aside = uploads.with_name("aside")
    with ordinary_user(instance):
        match request.param:
            case "closed":
                uploads.chmod(0)
            case "its folders closed":
                for folder in uploads.iterdir():
                    folder.chmod(0 if folder.is_dir() else 0o600)
            case "a file":
                uploads.rename(aside)
                uploads.write_text("in the way")
            case "gone":
                uploads.rename(aside)
            case "another disk":
                uploads.rename(aside)
                uploads.mkdir()

        def mended() -> None:
            if aside.exists():
                shutil.rmtree(uploads, ignore_errors=True)
                uploads.unlink(missing_ok=True)
                aside.rename(uploads)
            uploads.chmod(0o700)
            for folder in uploads.iterdir():
                folder.chmod(0o700 if folder.is_dir() else 0o600)

        yield mended
        mended()


@pytest.mark.parametrize("action", ["attach", "send", "save"])
def test_attaching_keeps_the_text_and_says_what_is_wrong(form, broken, action):
    alice, page = form
    page = alice.submit(page, FORM, **TYPED | {"body": "more text\n"}, attachments=file("b.txt", b"bytes"), action=action)
    assert page.status == 503
    assert "b.txt" in page.text and AWAY in page.text and "attach it again" not in page.text
    assert text_of(page) == "more text\n" == DraftRow.get().body
    assert (AttachmentRow.select().count(), Outbox.select().count()) == (1, 0)
    broken()
    page = alice.submit(page, FORM, attachments=file("b.txt", b"bytes"), action="attach")
    assert (page.status, AttachmentRow.select().count()) == (200, 2)


def test_sending_keeps_the_text_and_does_not_ask_for_the_file_again(form, broken):
    alice, page = form
    page = alice.submit(page, FORM, **TYPED | {"body": "more text\n"}, action="send", follow=False)
    assert page.status == 503
    assert AWAY in page.one("#attachments-error").get_text() and "attach it again" not in page.text
    assert "first.txt" in page.text
    assert text_of(page) == "more text\n" == DraftRow.get().body
    assert Outbox.select().count() == 0
    broken()
    assert alice.submit(page, FORM, action="send", follow=False).status == 303
    assert Outbox.select().count() == 1


def test_an_uploads_folder_of_an_earlier_version_goes_on(app, uploads, form):
    """Without the mark that the folder bears now."""
    alice, page = form
    (uploads / MARK).unlink()
    page = alice.submit(page, FORM, attachments=file("b.txt", b"bytes"), action="attach")
    assert (page.status, AttachmentRow.select().count()) == (200, 2)
    assert (uploads / MARK).exists()
    (uploads / MARK).unlink()
    assert alice.submit(page, FORM, action="send", follow=False).status == 303
    assert "first.txt" in bytes(Outbox.get().content).decode("ascii", "replace")


def test_health_and_the_doctor_tell(app, uploads, form, broken, request):
    settings = app.extensions["settings"]
    if "its folders closed" in request.node.name:
        pytest.skip("the folder itself can be written")
    page = Visitor(app).client.get("/healthz?full")
    told = next(line for line in page.text.splitlines() if line.startswith("storage"))
    assert (page.status_code, told.startswith("storage FAULT: uploads can’t be written")) == (503, True)
    assert str(uploads) in told
    [check] = [each for each in machine.background(settings) if each.name == "Storage"]
    assert (check.state, str(uploads) in check.words) == ("problem", True)
    broken()
    assert next(each for each in health.examine(settings) if each.name == "storage").good
