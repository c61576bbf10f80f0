"""An application of its own for each test, on the real servers; a worker that comes when called; mailboxes to look into."""

from __future__ import annotations

import email
import email.policy

import pytest

from tests.support import worker
from tests.support.compose_form import file, write
from tests.support.visits import Visitor
from tests.support.worker import jobs_of
from webmail import create_app
from webmail.compose.outbox import delivery
from webmail.database.connection import db
from webmail.models import DraftRow, Outbox, PeopleGroup, StoredContent, Transfer


@pytest.fixture
def app(services, tmp_path):
    settings = {name.removeprefix("WEBMAIL_").lower(): value for name, value in services.settings().items()}
    del settings["instance"], settings["jobs_file"], settings["uploads_folder"]
    app = create_app(tmp_path / "instance", **{**settings, "undo_seconds": 0, "message_limit_mb": 3, "secure_cookies": False})
    with db.connection_context():  # what other files' tests left: all share one database
        PeopleGroup.delete().execute()
        _forget()
    worker.alive()  # `work` is what it does
    yield app
    worker.gone()
    with db.connection_context():
        _forget()


def _forget():
    """Messages and files, which lie in a folder of the test's own."""
    for table in (Outbox, DraftRow, Transfer, StoredContent):
        table.delete().execute()


@pytest.fixture
def alice(app, make_account):
    return Visitor(app, make_account("alice")).sign_in()


@pytest.fixture
def bob(app, make_account):
    return Visitor(app, make_account("bob")).sign_in()


@pytest.fixture
def work(app):
    """What the worker does in a minute."""

    def run():
        jobs = jobs_of(app)
        with db.connection_context():
            ready = delivery.sweep(jobs.settings)
        for outbox_id in ready:
            jobs.deliver(outbox_id)
        jobs.do("drafts")

    return run


@pytest.fixture
def stored(imap_of):
    """The messages of somebody's mailbox, parsed, with UID and flags."""

    def read(person, mailbox):
        client = imap_of(person.address)
        if not client.folder_exists(mailbox):
            return []
        client.select_folder(mailbox, readonly=True)
        found = client.fetch(client.search(["ALL"]), ["BODY.PEEK[]", "FLAGS"])
        messages = []
        for uid, values in sorted(found.items()):
            message = email.message_from_bytes(values[b"BODY[]"], policy=email.policy.default)
            message.uid, message.flags = uid, {f.decode() for f in values[b"FLAGS"]}
            messages.append(message)
        return messages

    return read


@pytest.fixture
def letter(alice, bob, work, stored):
    """A message from alice in bob's inbox."""
    write(alice, to=bob.address, subject="Sortie", body="Départ à 8 h", attachments=file(), action="send-anyway")
    work()
    return stored(bob, "INBOX")[0]
