"""Large files of a message that FileSender gives out: it waits until they are there, carries that link, and is not lost if it refuses."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator

import pytest

from tests.integration.compose.test_large_files import press, sending, with_film
from tests.support.compose_form import text_of
from tests.support.fakes.filesender import FakeFileSender, fake_filesender
from tests.support.task_work import work_all
from tests.support.worker import jobs_of
from webmail import create_app
from webmail.compose.outbox import link_gate
from webmail.database.connection import db
from webmail.filesender import handover
from webmail.models import FilesenderDelivery, Outbox, OutboxState, Transfer, TransferState

FILM = b"film" * 700_000


@pytest.fixture
def filesender() -> Iterator[FakeFileSender]:
    with fake_filesender() as fake:
        yield fake


@pytest.fixture
def app(services, tmp_path, app, filesender):
    """The same, with a FileSender."""
    settings = {name.removeprefix("WEBMAIL_").lower(): value for name, value in services.settings().items()}
    del settings["instance"], settings["jobs_file"], settings["uploads_folder"]
    values = {"undo_seconds": 0, "message_limit_mb": 3, "secure_cookies": False, "public_url": "https://mail.lycee.example"}
    there = {"url": filesender.address, "application": filesender.application, "secret": filesender.secret}
    return create_app(tmp_path / os.urandom(4).hex(), filesender=there, **{**settings, **values})


@pytest.fixture
def work(app, work):
    """The worker comes by: messages, what FileSender is to have, and messages again."""
    jobs = jobs_of(app)
    jobs.context = app.app_context

    def run():
        work()
        with app.app_context(), db.connection_context():
            handover.begin_all(app.extensions["settings"])
        work_all(app)
        with db.connection_context():
            link_gate.arrived()
        work()

    return run


def test_a_message_leaves_once_filesender_has_its_files_with_its_link(alice, bob, work, stored, filesender):
    kept = press(alice, with_film(alice, to=bob.address, action="send"), "keep-link")
    sending(alice, kept)
    filesender.faults.append(("POST /rest.php/transfer", 503))
    work()
    assert stored(bob, "INBOX") == [] and "Waiting for FileSender" in alice.get("/outbox").text
    work()
    [got] = stored(bob, "INBOX")
    text = got.get_body(("plain",)).get_content()
    (made,) = filesender.transfers.values()
    assert re.search(rf"^{re.escape(filesender.address)}/\?s=download&token=\w+$", text.replace("\r", ""), re.MULTILINE)
    assert "/t/" not in text and hashlib.sha256(FILM).hexdigest() in text
    assert filesender.contents(made["id"]) == {"film.mp4": FILM} and filesender.mail == []
    assert (Transfer.get().state, made["subject"]) == (TransferState.HANDED, "Le film")


def test_a_refusal_brings_the_message_back_with_its_files_and_it_can_be_sent_again(alice, bob, work, stored, filesender):
    filesender.banned = ("mp4",)
    sending(alice, press(alice, with_film(alice, to=bob.address, action="send"), "keep-link"))
    work()
    box = alice.get("/outbox")
    assert "FileSender did not take the large files" in box.text and "types" in box.text
    assert stored(bob, "INBOX") == [] and Outbox.get().state == OutboxState.FAILED
    form = alice.submit(box, "form[action^='/outbox/']", action="edit")
    assert text_of(form).startswith("Voici.") and "film.mp4" in form.one("#links").text
    filesender.banned = ()
    sending(alice, form)
    work()
    assert len(stored(bob, "INBOX")) == 1


def test_what_waits_for_filesender_can_be_called_back_and_changed(alice, bob, work, filesender):
    filesender.faults += [("rest.php/info", 503)] * 3
    sending(alice, press(alice, with_film(alice, to=bob.address, action="send"), "keep-link"))
    work()
    again = alice.submit(alice.get("/outbox"), "form[action^='/outbox/']", action="undo")
    assert "film.mp4" in again.one("#links").text
    gone = press(alice, again, "drop-link")
    assert not gone.all("#links") and filesender.transfers == {}
    assert FilesenderDelivery.select().count() == 0
