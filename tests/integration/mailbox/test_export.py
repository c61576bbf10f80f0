"""Large exports: made by a worker, whatever their size, and fetched from the page of tasks."""

from __future__ import annotations

import io
import mailbox as mailboxes
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from tests.support.messages import message
from tests.support.task_work import worker_for
from tests.support.visits import Page, Visitor
from webmail.database.connection import db
from webmail.imap.bulk import bulk_fetch
from webmail.imap.bulk import chosen as choice
from webmail.mailbox import export, export_task
from webmail.mime.formats.export_marker import MARKER
from webmail.models import Task
from webmail.storage import StorageFullError, open_storage
from webmail.storage.local import LocalStorage
from webmail.tasks import mail_parts
from webmail.web.current import settings as current_settings

Fill = Callable[..., list[int]]
COUNT = 23


@pytest.fixture
def work(app: Flask) -> Callable[[], int]:
    """`work()` does what a worker would; returns how many tasks."""
    return worker_for(app)


@pytest.fixture
def many(person: Visitor, fill: Fill, monkeypatch: pytest.MonkeyPatch) -> Visitor:
    """Somebody with more messages than are saved at once, a few to a part."""
    monkeypatch.setattr(export, "MOST_MESSAGES", 10)
    monkeypatch.setattr(mail_parts, "PART_MESSAGES", 4)
    fill(person, *(message(f"Number {n}", f"From here\n{n}") for n in range(COUNT)))
    return person


def ask(person: Visitor, url: str = "/mailbox/INBOX?select=all") -> Page:
    return person.submit(person.get(url), "form#messages", action="export")


def download(person: Visitor) -> Any:
    return person.client.get(person.get("/tasks").link("Download"))


def as_after_the_lease() -> None:
    with db.connection_context():
        Task.update(lease=None, state="waiting").execute()


def test_an_archive_of_all_is_made_in_the_background(many: Visitor, work: Callable[[], int], imap_of: Any) -> None:
    asked = ask(many)
    assert "prepared in the background" in asked.text
    for _twice in range(2):
        assert "Saving messages from “Inbox” as a file." in many.submit(asked, "main form", kind="zip").notices
    assert work() == 1
    assert f"Ready: {COUNT} messages" in many.get("/tasks").text
    answer = download(many)
    assert "INBOX-" in answer.headers["Content-Disposition"] and answer.content_type == "application/zip"
    archive = zipfile.ZipFile(io.BytesIO(answer.data))
    assert archive.testzip() is None and len(set(archive.namelist())) == COUNT
    client = imap_of(many.address)
    client.select_folder("INBOX", readonly=True)
    raw = {values[b"BODY[]"] for values in client.fetch(client.search(), ["BODY.PEEK[]"]).values()}
    assert {archive.read(name) for name in archive.namelist()} == raw


def test_an_mbox_too_and_only_its_file_stays(many: Visitor, work: Callable[[], int], tmp_path: Path, app: Flask) -> None:
    many.submit(ask(many), "main form", kind="mbox")
    work()
    file = tmp_path / "mbox"
    file.write_bytes(download(many).data)
    assert sorted(one["Subject"] for one in mailboxes.mbox(str(file))) == sorted(f"Number {n}" for n in range(COUNT))
    with app.app_context(), db.connection_context():
        task = Task.select().order_by(Task.created.desc()).get()
        assert [one.name for one in open_storage(current_settings()).list(f"tasks/{task.id}")] == [f"tasks/{task.id}/messages"]


@pytest.mark.parametrize("kind", ["zip", "mbox"])
def test_killed_in_the_middle_it_goes_on_and_has_each_message_once(
    many: Visitor, work: Callable[[], int], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: str
) -> None:
    many.submit(ask(many), "main form", kind=kind)
    put, calls = LocalStorage.put, []

    def dying(files: LocalStorage, name: str, chunks: Any, **more: Any) -> int:
        calls.append(name.rpartition("/")[2])
        size = put(files, name, chunks, **more)
        if len(calls) in (3, 8):  # a part is there, but not noted; and the whole file
            raise SystemExit
        return size

    with monkeypatch.context() as patch:
        patch.setattr(LocalStorage, "put", dying)
        for _kill in range(2):
            with pytest.raises(SystemExit):
                work()
            as_after_the_lease()
        work()
    assert calls == ["part-0", "part-1", "part-2", "part-2", "part-3", "part-4", "part-5", "messages", "messages"]
    data = download(many).data
    if kind == "zip":
        assert len(zipfile.ZipFile(io.BytesIO(data)).namelist()) == COUNT
    else:
        (tmp_path / "mbox").write_bytes(data)
        assert len({one["Subject"] for one in mailboxes.mbox(str(tmp_path / "mbox"))}) == COUNT
        assert len(mailboxes.mbox(str(tmp_path / "mbox"))) == COUNT


def test_while_the_disk_is_full_it_waits(many: Visitor, work: Callable[[], int], monkeypatch: pytest.MonkeyPatch) -> None:
    many.submit(ask(many), "main form", kind="mbox")

    def full(*_args: Any, **_more: Any) -> int:
        raise StorageFullError("no room")

    with monkeypatch.context() as patch:
        patch.setattr(LocalStorage, "put", full)
        work()
    page = many.get("/tasks")
    assert "out of space" in page.text.lower() and "Download" not in page.text
    with db.connection_context():
        Task.update(due=Task.created).execute()
    work()
    assert f"Ready: {COUNT} messages" in many.get("/tasks").text


def test_if_all_went_meanwhile_it_says_so(many: Visitor, work: Callable[[], int], imap_of: Any) -> None:
    many.submit(ask(many), "main form", kind="zip")
    client = imap_of(many.address)
    client.select_folder("INBOX")
    client.delete_messages(client.search())
    client.expunge()
    work()
    assert "These messages no longer exist." in many.get("/tasks").text


def test_some_that_went_are_counted(many: Visitor, work: Callable[[], int], imap_of: Any) -> None:
    many.submit(ask(many), "main form", kind="mbox")
    client = imap_of(many.address)
    client.select_folder("INBOX")
    client.delete_messages([1, 2])
    client.expunge()
    work()
    assert f"Ready: {COUNT - 2} messages" in (text := many.get("/tasks").text)
    assert "2 messages were no longer there." in text


def test_a_large_message_that_goes_while_it_is_read_is_counted(
    many: Visitor, fill: Fill, work: Callable[[], int], imap_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = max(fill(many, message("Large", "x" * 70 + "\r\n" + "y" * 1_000_000)))
    many.submit(ask(many), "main form", kind="mbox")
    client, real = imap_of(many.address), bulk_fetch.stream_raw

    def going(account: Any, mailbox: str, uid: int, uidvalidity: int) -> Iterator[bytes]:
        chunks = real(account, mailbox, uid, uidvalidity)
        yield next(chunks)
        client.select_folder("INBOX")
        client.delete_messages([large])
        client.expunge()
        yield from chunks

    monkeypatch.setattr(bulk_fetch, "stream_raw", going)
    work()
    assert f"Ready: {COUNT} messages" in (text := many.get("/tasks").text)
    assert "1 message was no longer there." in text


def test_results_from_several_folders_stand_in_folders(
    folders: Visitor, work: Callable[[], int], imap_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "MOST_MESSAGES", 1)
    folders.submit(ask(folders, "/mailbox/INBOX?query=commun&scope=all&select=all"), "main form", kind="zip")
    imap_of(folders.address).delete_folder("Été")
    work()
    names = zipfile.ZipFile(io.BytesIO(download(folders).data)).namelist()
    assert {name.rpartition("/")[0] for name in names} == {"INBOX", "Travail", "Travail/2024"}
    assert "1 message was no longer there." in folders.get("/tasks").text


def test_it_can_be_stopped(many: Visitor, work: Callable[[], int]) -> None:
    many.submit(ask(many), "main form", kind="mbox")
    page = many.submit(many.get("/tasks"), "form[action^='/tasks/']", action="cancel")
    assert "Stopped. Nothing was done." in page.text and work() == 0


def test_more_than_an_archive_holds_is_said_before(
    many: Visitor, work: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "MOST_IN_ARCHIVE", 20)
    assert "A .zip archive can hold at most 20 messages." in many.submit(ask(many), "main form", kind="zip").notices
    assert work() == 0


def test_only_the_latest_files_are_kept(many: Visitor, work: Callable[[], int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_task, "MOST_KEPT", 2)
    for _ in range(3):
        many.submit(ask(many), "main form", kind="mbox")
        work()
    assert len([a for a in many.get("/tasks").all("main a") if "Download" in a.get_text()]) == 2


def test_the_memory_of_the_worker_stays_small(
    person: Visitor, fill: Fill, work: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    import tracemalloc

    fill(person, *(message(f"Gros {n}", "y" * 3_000_000) for n in range(12)))
    monkeypatch.setattr(export, "MOST_BYTES", 1_000_000)
    person.submit(ask(person), "main form", kind="zip")
    tracemalloc.start()
    try:
        assert work() == 1
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(download(person).data) > 36_000_000
    assert peak < 12_000_000, peak


# --- all folders ----------------------------------------------------------------------------------------------------


def folders_of(client: Any) -> dict[str, list[tuple[bytes, tuple[bytes, ...]]]]:
    """(content, flags) of the messages of each folder that has some."""
    found = {}
    for flags, _delimiter, name in client.list_folders():
        if {flag.lower() for flag in flags} & {b"\\noselect", b"\\nonexistent"}:
            continue
        client.select_folder(name, readonly=True)
        if uids := client.search():
            answers = client.fetch(uids, ["BODY.PEEK[]", "FLAGS"])
            kept = (b"\\Seen", b"\\Flagged", b"\\Answered")
            found[name] = sorted((one[b"BODY[]"], tuple(f for f in kept if f in one[b"FLAGS"])) for one in answers.values())
    return found


def test_all_folders_are_one_archive_that_can_be_brought_back(
    many: Visitor, work: Callable[[], int], fill: Fill, imap_of: Any, app: Flask, make_account: Callable[..., str]
) -> None:
    client = imap_of(many.address)
    for name in ("Classe/3e B", "Été & co"):
        client.create_folder(name)
        fill(many, message(f"In {name}", "From here\nStatus: x"), message("Two"), mailbox=name)
    fill(many, message("Thrown away"), mailbox="Trash")
    client.select_folder("INBOX")
    client.add_flags(client.search()[:2], [b"\\Seen", b"\\Flagged"])
    client.add_flags(client.search()[2:3], [b"\\Answered"])
    form = many.get("/folders")
    first, _again = (many.submit(form, "form[action='/export']") for _twice in range(2))
    assert "Saving all your mail as a file." in first.notices
    assert work() == 1
    data = download(many).data
    names = zipfile.ZipFile(io.BytesIO(data)).namelist()
    assert sorted(names) == ["Classe/3e B.mbox", "INBOX.mbox", "Trash.mbox", MARKER, "Été & co.mbox"]

    other = Visitor(app, make_account()).sign_in()
    for _again in range(2):  # nothing is there twice
        other.submit(other.get("/import"), "form[action='/import']", file=(io.BytesIO(data), "mail.zip"), into="")
        work()
        assert folders_of(imap_of(other.address)) == folders_of(client)


def test_all_folders_killed_in_the_middle(
    many: Visitor, work: Callable[[], int], fill: Fill, imap_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = imap_of(many.address)
    client.create_folder("Second")
    fill(many, *(message(f"Second {n}") for n in range(6)), mailbox="Second")
    many.submit(many.get("/folders"), "form[action='/export']")
    put, calls = LocalStorage.put, []

    def dying(files: LocalStorage, name: str, chunks: Any, **more: Any) -> int:
        calls.append(name.rpartition("/")[2])
        size = put(files, name, chunks, **more)
        if len(calls) in (1, 4, 9):
            raise SystemExit
        return size

    with monkeypatch.context() as patch:
        patch.setattr(LocalStorage, "put", dying)
        for _kill in range(3):
            with pytest.raises(SystemExit):
                work()
            as_after_the_lease()
        fill(many, message("Later"), mailbox="Second")  # what came meanwhile is not in it
        work()
    archive = zipfile.ZipFile(io.BytesIO(download(many).data))
    assert {name: archive.read(name).count(b"\nSubject: ") for name in archive.namelist() if name != MARKER} == {
        "INBOX.mbox": COUNT,
        "Second.mbox": 6,
    }


def test_a_folder_that_can_not_be_read_is_told_and_nothing_is_saved(
    many: Visitor, work: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    many.submit(many.get("/folders"), "form[action='/export']")
    monkeypatch.setattr(choice, "everything", lambda _connection: ([], ("Work",)))
    work()
    page = many.get("/tasks")
    assert "A folder could not be read, so nothing was saved." in page.text and "Download" not in page.text


def test_signed_out_nothing_is_exported(app: Flask, work: Callable[[], int]) -> None:
    assert Visitor(app, "nobody@lycee.example").client.post("/export").status_code in (302, 303, 400)
    assert work() == 0
