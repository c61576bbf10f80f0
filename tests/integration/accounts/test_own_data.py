"""All of one's data as one file: mail of every folder, contacts and tables; after a kill it goes on where it was."""

from __future__ import annotations

import io
import json
import mailbox as mailboxes
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from tests.bench import fill as bench_fill
from tests.support.killed_worker import run_worker
from tests.support.messages import message
from tests.support.task_work import worker_for
from tests.support.visits import Page, Visitor
from webmail.database.connection import db
from webmail.errors import NoSuchMailboxError
from webmail.imap.bulk import bulk_fetch
from webmail.imap.bulk import chosen as choice
from webmail.models import AuditEntry, SystemMessage, Task, User
from webmail.storage import open_storage
from webmail.tasks import mail_parts
from webmail.web.current import settings as current_settings

Fill = Callable[..., list[int]]
COUNT = 11
FORM = "form[action='/account/data']"
CONFIRM = "form[action='/account/confirm']"


@pytest.fixture
def work(app: Flask) -> Callable[[], int]:
    return worker_for(app)


@pytest.fixture
def many(person: Visitor, fill: Fill, imap_of: Any, monkeypatch: pytest.MonkeyPatch) -> Visitor:
    """Somebody with mail in three folders, few messages to a part, who said their password again just now."""
    monkeypatch.setattr(mail_parts, "PART_MESSAGES", 4)
    fill(person, *(message(f"Number {n}", f"From here\n{n}") for n in range(COUNT)))
    client = imap_of(person.address)
    client.create_folder("Été/Suite")
    fill(person, message("Below"), message("Below too"), mailbox="Été/Suite")
    fill(person, message("Thrown away"), mailbox="Trash")
    client.select_folder("INBOX")
    client.add_flags(client.search()[:1], [b"\\Seen", b"\\Flagged"])
    return person.confirm()


def ask(person: Visitor, **fields: Any) -> Page:
    return person.submit(person.get("/account/data"), FORM, **fields)


def archive_of(person: Visitor) -> zipfile.ZipFile:
    answer = person.client.get(person.get("/account/data").link("Download"))
    archive = zipfile.ZipFile(io.BytesIO(answer.data))
    assert archive.testzip() is None
    return archive


def letters(address: str, kind: str) -> list[str]:
    with db.connection_context():
        found = SystemMessage.select().where((SystemMessage.recipient == address) & (SystemMessage.kind == kind))
        return [one.subject for one in found.order_by(SystemMessage.id)]


def acts(person: Visitor) -> list[str]:
    with db.connection_context():
        found = AuditEntry.select().where((AuditEntry.actor_address == person.address) & AuditEntry.act.startswith("own-data"))
        return [one.act for one in found.order_by(AuditEntry.id)]


def subjects(archive: zipfile.ZipFile, name: str, folder: Path) -> list[str]:
    (folder / "mbox").write_bytes(archive.read(name))
    return sorted(str(one["Subject"]) for one in mailboxes.mbox(str(folder / "mbox")))


def test_it_holds_the_mail_of_all_folders_and_says_what_is_what(many: Visitor, work: Callable[[], int], tmp_path: Path) -> None:
    assert "in the background" in ask(many).notices
    assert work() == 1
    archive = archive_of(many)
    names = set(archive.namelist())
    assert {"mail/INBOX.mbox", "mail/Trash.mbox", "mail/Été/Suite.mbox"} <= names
    assert subjects(archive, "mail/INBOX.mbox", tmp_path) == sorted(f"Number {n}" for n in range(COUNT))
    inbox = archive.read("mail/INBOX.mbox")
    assert b"\nStatus: RO\nX-Status: F\nX-Keywords: " in inbox and b">From here" in inbox
    readme = archive.read("README.txt").decode()
    assert many.address in readme and "contacts.vcf" in readme and "could not be read" not in readme
    for word in ("mail/", "contacts.vcf", "account.json", "settings.json", "activity.json"):
        assert word in readme
    for name in names:
        if name.endswith(".json"):
            json.loads(archive.read(name))
    everything = "".join(archive.read(name).decode() for name in names if not name.startswith("mail/"))
    assert "argon2" not in everything and not re.search(r"[0-9a-f]{64}", everything)


def test_folders_without_messages_are_kept(many: Visitor, work: Callable[[], int], imap_of: Any, tmp_path: Path) -> None:
    imap_of(many.address).create_folder("Été/Vide")
    ask(many)
    work()
    archive = archive_of(many)
    assert archive.read("mail/Été/Vide.mbox") == b"" and archive.read("mail/Sent.mbox") == b""
    assert subjects(archive, "mail/Été/Suite.mbox", tmp_path) == ["Below", "Below too"], "no folder has the mail of another"


def test_it_is_asked_who_one_is_and_told(person: Visitor, app: Flask, work: Callable[[], int]) -> None:
    """A stolen cookie neither makes the file nor fetches one."""
    elsewhere = f"own-data-of-{person.address.partition('@')[0]}@example.net"
    with db.connection_context():
        User.update(recovery_address=elsewhere, language="en").where(User.address == person.address).execute()
    page = ask(person, mail=None)
    assert page.all(CONFIRM) and not work()
    assert not letters(person.address, "security") and acts(person) == []
    page = person.submit(page, CONFIRM, password=person.password)
    person.submit(page, FORM)  # goes on with what was asked
    assert work() == 1
    for address in (person.address, elsewhere):
        assert letters(address, "security")[-1] == "Your data is being exported"
    [address] = {person.get("/account/data").link("Download")}
    assert person.get(address).headers["Content-Disposition"].startswith("attachment")
    assert acts(person) == ["own-data-asked", "own-data-fetched"]
    thief = Visitor(app, person.address).sign_in()
    page = thief.get(address)
    assert page.all(CONFIRM), "another session has to say it too"
    page = thief.submit(page, CONFIRM, password=person.password)
    assert page.address == "/account/data" and page.link("Download") == address, "not a file beside a page that asks still"


def test_in_french_it_is_told_in_french(many: Visitor, work: Callable[[], int]) -> None:
    with db.connection_context():
        User.update(language="fr").where(User.address == many.address).execute()
    ask(many)
    work()
    with db.connection_context():
        letter = SystemMessage.select().where(SystemMessage.recipient == many.address).order_by(SystemMessage.id.desc()).first()
    assert letter.subject.startswith("Vos données")
    answer = many.client.get(many.get("/account/data").link("Télécharger"))
    assert "Vos messages" in zipfile.ZipFile(io.BytesIO(answer.data)).read("README.txt").decode()


def test_without_the_mail_it_needs_no_mail_server(
    many: Visitor, work: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    page = many.get("/account/data")
    token = page.one(f"{FORM} [name=csrf_token]")["value"]
    many.post("/account/data", {"csrf_token": token})
    monkeypatch.setattr(choice, "everything", None)
    work()
    assert not [name for name in archive_of(many).namelist() if name.startswith("mail/")]


def test_killed_with_sigkill_it_goes_on_and_has_each_message_once(many: Visitor, app: Flask, tmp_path: Path, work: Any) -> None:
    ask(many)
    first = run_worker(app, kill_at=3)  # the list of what there is, a part, and one that is not noted yet
    assert first.killed and first.stored == ["selection", "part-0", "part-1"]
    page = many.get("/account/data")
    assert "4 of 14 messages." in page.text and not page.all("a[href$='/result']")
    second = run_worker(app, kill_at=5)
    assert second.killed and second.stored == ["part-1", "part-2", "part-3", "part-4", "data.zip"], (
        "only what was not noted again"
    )
    last = run_worker(app)
    assert not last.killed and last.stored == ["data.zip"], "no mail is read again"
    archive = archive_of(many)
    assert subjects(archive, "mail/INBOX.mbox", tmp_path) == sorted(f"Number {n}" for n in range(COUNT))
    assert subjects(archive, "mail/Été/Suite.mbox", tmp_path) == ["Below", "Below too"]
    with db.connection_context():
        told = (
            SystemMessage.select().where((SystemMessage.recipient == many.address) & (SystemMessage.kind == "own-data")).count()
        )
    assert told == 1


def test_two_workers_make_one_file(many: Visitor, app: Flask, work: Callable[[], int]) -> None:
    page = many.get("/account/data")
    many.submit(page, FORM)
    assert run_worker(app, kill_at=2).killed
    many.submit(page, FORM)  # pressed again meanwhile
    with db.connection_context():
        assert Task.select().join(User).where(User.address == many.address).count() == 1
    assert work() == 1
    assert run_worker(app).stored == []


def test_folders_that_cannot_be_read_are_named(many: Visitor, work: Callable[[], int], monkeypatch: pytest.MonkeyPatch) -> None:
    everything, known = choice.everything, bulk_fetch.identities

    def without(connection: Any) -> Any:
        return everything(connection)[0], ("Broken/one",)

    def away(connection: Any, mailbox: str, *more: Any) -> Any:
        if mailbox == "Trash":
            raise NoSuchMailboxError("gone")
        return known(connection, mailbox, *more)

    monkeypatch.setattr(choice, "everything", without)
    monkeypatch.setattr(bulk_fetch, "identities", away)
    ask(many)
    work()
    assert "2 folders could not be read" in many.get("/account/data").text
    readme = archive_of(many).read("README.txt").decode()
    assert "- Broken/one" in readme and "- Trash" in readme


def test_mail_that_comes_or_goes_meanwhile_is_no_failure(
    many: Visitor, app: Flask, work: Callable[[], int], imap_of: Any, fill: Fill, tmp_path: Path
) -> None:
    ask(many)
    assert run_worker(app, kill_at=2).killed
    client = imap_of(many.address)
    client.select_folder("INBOX")
    client.delete_messages(client.search()[:1])
    client.expunge()
    fill(many, message("Later"), mailbox="INBOX")
    work()
    archive = archive_of(many)
    assert len(subjects(archive, "mail/INBOX.mbox", tmp_path)) == COUNT - 1
    assert "missing here: 1" in archive.read("README.txt").decode()


def test_it_can_be_stopped_and_nothing_is_left(many: Visitor, app: Flask, work: Callable[[], int]) -> None:
    ask(many)
    assert run_worker(app, kill_at=3).killed
    many.submit(many.get("/account/data"), "form[action^='/tasks/']", action="cancel")
    work()
    page = many.get("/account/data")
    assert "Stopped. Nothing was kept." in page.text and page.all(FORM)
    with app.app_context(), db.connection_context():
        task = Task.select().join(User).where(User.address == many.address).get()
        assert not list(open_storage(current_settings()).list(f"tasks/{task.id}"))


def test_the_file_is_ones_own(many: Visitor, app: Flask, work: Callable[[], int], make_account: Callable[..., str]) -> None:
    ask(many)
    work()
    address = many.get("/account/data").link("Download")
    other = Visitor(app, make_account()).sign_in()
    assert other.get(address).status == 404
    assert "Download" not in other.get("/account/data").text
    stranger = Visitor(app)
    assert stranger.get(address, follow=False).location.startswith("/login")
    assert stranger.get("/account/data", follow=False).location.startswith("/login")


def test_a_tenth_of_a_large_mailbox_takes_little_memory(
    person: Visitor, app: Flask, services: Any, work: Callable[[], int], imap_of: Any
) -> None:
    """The whole: `python -m tests.bench.own_data`."""
    local, domain = person.address.split("@")
    maildir = services.base / "mail" / domain / local / "Maildir"
    bench_fill.write(services.owner, maildir / "Tout", person.address, 2_000)
    ask(person.confirm())
    first = run_worker(app, kill_at=3)
    second = run_worker(app)
    assert first.killed and not second.killed
    assert set(first.stored[:-1]).isdisjoint(second.stored)
    assert archive_of(person).read("mail/Tout.mbox").count(b"\nMessage-ID: ") == 2_000
    assert second.grown < 60, second
