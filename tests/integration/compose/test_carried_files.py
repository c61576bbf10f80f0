"""Files that come along when a message is forwarded or taken up again: few round trips, few syncs, and not without end."""

from __future__ import annotations

import os
from email.message import EmailMessage

import pytest

from tests.support.compose_form import FORM, text_of, value_of
from webmail.compose.replies import reply
from webmail.errors import ServerAwayError
from webmail.imap.connections.connection import Connection
from webmail.models import AttachmentRow, DraftRow


def letter_with(count, size=300, **headers):
    message = EmailMessage()
    for name, value in {"From": "Bob <bob@x.example>", "To": "alice@x.example", "Subject": "Dossier", **headers}.items():
        message[name.replace("_", "-")] = value
    message.set_content("Voici le dossier.\n")
    for i in range(count):
        message.add_attachment(
            f"{i} ".encode() * (size // 3), maintype="application", subtype="octet-stream", filename=f"{i}.bin"
        )
    return bytes(message)


@pytest.fixture
def append(imap_of):
    def put(person, content, mailbox="INBOX", flags=()):
        client = imap_of(person.address)
        if not client.folder_exists(mailbox):
            client.create_folder(mailbox)
        client.append(mailbox, content, flags)
        client.select_folder(mailbox, readonly=True)
        return client.search()[-1]

    return put


@pytest.fixture
def counted(monkeypatch):
    """How often a file or folder was synced, and how many commands fetched something."""
    counts = {"fsync": 0, "fetch": 0}
    fsync, run = os.fsync, Connection._run

    def counting_fsync(descriptor):
        counts["fsync"] += 1
        fsync(descriptor)

    def counting_run(self, commands):
        counts["fetch"] += sum(command[0] == b"UID FETCH" for command in commands)
        return run(self, commands)

    monkeypatch.setattr(os, "fsync", counting_fsync)
    monkeypatch.setattr(Connection, "_run", counting_run)
    return counts


def names():
    return [row.filename for row in AttachmentRow.select().order_by(AttachmentRow.id)]


def contents(app):
    root = app.extensions["settings"].uploads_folder
    return [open(f"{root}/{a.draft_id}/{a.stored}", "rb").read() for a in AttachmentRow.select().order_by(AttachmentRow.id)]


def test_small_files_come_together(alice, app, append, counted):
    uid = append(alice, letter_with(40))
    page = alice.get(f"/forward/{uid}/INBOX")
    assert "Voici le dossier" in text_of(page)
    assert names() == [f"{i}.bin" for i in range(40)]
    assert contents(app) == [f"{i} ".encode() * 100 for i in range(40)]
    assert counted["fetch"] <= 5
    assert counted["fsync"] <= 41  # each file once, and their folder once


def test_large_files_come_with_the_small_ones_in_order(alice, app, append):
    message = EmailMessage()
    message["Subject"] = "s"
    message.set_content("text")
    sizes = (10, 700_000, 20, 300_000, 30)
    for i, size in enumerate(sizes):
        message.add_attachment(bytes([65 + i]) * size, maintype="image", subtype="png", filename=f"{i}.png")
    page = alice.get(f"/forward/{append(alice, bytes(message))}/INBOX")
    assert "1.png" in page.text
    assert [(c[:1], len(c)) for c in contents(app)] == [(bytes([65 + i]), size) for i, size in enumerate(sizes)]


def test_a_message_with_very_many_files_is_forwarded_whole(alice, app, append, counted):
    uid = append(alice, letter_with(reply.MOST_PARTS + 1))
    page = alice.get(f"/forward/{uid}/INBOX")
    assert "it is attached as a whole" in page.notices
    [row] = AttachmentRow.select()
    assert (row.filename, row.type) == ("Dossier.eml", "message/rfc822")
    assert contents(app)[0].count(b"filename=") == reply.MOST_PARTS + 1
    assert counted["fsync"] <= 2
    assert alice.get(f"/forward/{uid}/INBOX").one(FORM)["action"] == page.one(FORM)["action"]


def test_a_fault_on_the_way_carries_nothing_rather_than_some(alice, append, monkeypatch):
    uid = append(alice, letter_with(5))

    def broken(*_args, **_kwargs):
        yield b"half"
        raise ServerAwayError("gone")

    monkeypatch.setattr(reply, "_TOGETHER", 1)
    monkeypatch.setattr(reply.messages, "stream", lambda a, m, u, part, v: broken() if part.section == "5" else iter([b"x"]))
    assert alice.get(f"/forward/{uid}/INBOX").status == 502
    assert names() == []
    monkeypatch.undo()
    assert "4.bin" in alice.get(f"/forward/{uid}/INBOX").text


def test_a_template_is_opened_as_often_as_one_likes(alice, append, stored):
    uid = append(alice, letter_with(2, Bcc="c@x.example"), "Templates")
    first = alice.get(f"/draft/{uid}/Templates")
    for _ in range(3):
        again = alice.get(f"/draft/{uid}/Templates")
        assert again.one(FORM)["action"] == first.one(FORM)["action"]
    assert names() == ["0.bin", "1.bin"]
    assert (value_of(first, "subject"), value_of(first, "bcc")) == ("Dossier", "c@x.example")
    alice.submit(first, FORM, body="filled in", action="save")
    assert len(stored(alice, "Templates")) == 1
    fresh = alice.get(f"/draft/{uid}/Templates")
    assert text_of(fresh).rstrip() == "Voici le dossier."
    assert DraftRow.select().count() == 2


def test_two_templates_with_the_same_text_are_two(alice, append):
    uids = [append(alice, letter_with(count), "Templates") for count in (1, 2)]
    pages = [alice.get(f"/draft/{uid}/Templates") for uid in uids]
    assert pages[0].one(FORM)["action"] != pages[1].one(FORM)["action"]
    assert "1.bin" in pages[1].text


def test_a_draft_with_too_many_files_stays_whole_in_its_folder(alice, append, stored):
    uid = append(alice, letter_with(reply.MOST_PARTS + 3), "Drafts", [b"\\Draft"])
    page = alice.get(f"/draft/{uid}/Drafts")
    assert "3 files from that message were left out" in page.notices
    assert page.link("Forward as attachment") == f"/forward/{uid}/Drafts?as=attachment"
    assert len(names()) == reply.MOST_PARTS
    alice.submit(page, FORM, body="changed", action="save")
    kept = next(m for m in stored(alice, "Drafts") if m.uid == uid)
    assert len(list(kept.iter_attachments())) == reply.MOST_PARTS + 3
