"""Two web machines with one database and one bucket: what is attached on one is sent by the other."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import auth_app, servers
from tests.support.compose_form import FORM, file
from tests.support.visits import Visitor
from webmail import create_app
from webmail.compose.outbox import spool
from webmail.database.connection import db
from webmail.models import AttachmentRow, Outbox
from webmail.storage import StorageArea, open_storage

PICTURE = bytes(range(256)) * 2000  # 512,000 bytes: its message is no longer kept in the row


@pytest.fixture
def machines(tmp_path, s3):
    """Applications with folders of their own on disk."""
    away, bucket = servers.closed_port(), s3.bucket()
    made = [
        create_app(
            tmp_path / name, sign_in="accounts", domain="lycee.example", imap_port=away, imap_security="none", smtp_port=away,
            server_timeout=1, secure_cookies=False, undo_seconds=0, storage="s3", s3=bucket, secret_key="the same on all",
            database_url=f"sqlite:///{tmp_path / 'shared.sqlite'}",
        )
        for name in ("one", "two")
    ]  # fmt: skip
    auth_app.add("alice@lycee.example")
    yield made
    db.obj.close()


def signed_in(app) -> Visitor:
    visitor = Visitor(app)
    fields = {"username": "alice", "password": auth_app.PASSWORD}
    visitor.submit(visitor.get("/login"), "form[action='/login']", follow=False, **fields)
    return visitor


def test_a_file_attached_on_one_machine_is_sent_by_the_other(machines):
    one, two = machines
    typed = {"to": "bob@lycee.example", "subject": "Photo", "body": "text"}
    alice = signed_in(one)
    page = alice.submit(alice.get("/compose"), FORM, **typed, attachments=file("photo.png", PICTURE), action="attach")
    assert (page.status, AttachmentRow.select().count()) == (200, 1), page.text
    there = signed_in(two)
    draft = there.get(f"/compose/{AttachmentRow.get().draft_id}")
    assert "photo.png" in draft.text
    sent = there.submit(draft, FORM, **typed, attachments=file("second.png", PICTURE), action="send", follow=False)
    assert sent.status == 303, sent.text
    with spool.opened(Outbox.get().content, one.extensions["settings"]) as message:
        assert message.read().count(b"Content-Disposition: attachment") == 2
    names = [one.name for one in open_storage(one.extensions["settings"], StorageArea.UPLOADS).list()]
    assert any(name.endswith(".eml") for name in names)
    for app in machines:
        uploads = Path(app.extensions["settings"].uploads_folder)
        assert list(uploads.iterdir()) == [], "nothing is on a disk that only one of them has"
