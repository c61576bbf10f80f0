"""Storage that is away or full while files come in, tasks work and results are fetched: told, tried again, and nothing lost."""

from __future__ import annotations

import io
import os
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support import auth_app, servers
from tests.support.images import picture
from tests.support.memory_storage import in_memory
from tests.support.visits import Visitor
from webmail import create_app, http_fetch
from webmail.accounts import data_export
from webmail.config import ownership
from webmail.contacts.imports import import_check, import_task
from webmail.database.connection import db
from webmail.message import image_cache
from webmail.models import Contact, Task, TaskState, User, now
from webmail.storage import LocalStorage, StorageArea, StorageFullError
from webmail.tasks import leftovers, store, undo_steps
from webmail.tasks.runner import TaskRunner

CARD = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:u{0}\r\nFN:Person {0}\r\nEMAIL:p{0}@ailleurs.example\r\nNOTE:{1}\r\nEND:VCARD\r\n"
CARDS = "".join(CARD.format(number, "x" * 1000) for number in range(250)).encode()
FULL, AWAY = "out of space for files", "can’t reach its files"


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
def settings(app):
    return app.extensions["settings"]


@pytest.fixture
def alice(app) -> Visitor:
    who = Visitor(app)
    who.password = auth_app.PASSWORD
    fields = {"username": "alice", "password": who.password}
    who.submit(who.get("/login"), "form[action='/login']", follow=False, **fields)
    return who.confirm()


@pytest.fixture
def kept(app, monkeypatch):
    """What is kept of results, in memory."""
    return in_memory(monkeypatch)[StorageArea.RESULTS]


@pytest.fixture
def full_disk(monkeypatch):
    """What is written meets the device that has no room, until `full_disk()`."""
    make = ownership.make_file

    def without_room(file: Path, mode: int) -> int:
        os.close(make(file, mode))
        return os.open("/dev/full", os.O_WRONLY)

    with monkeypatch.context() as patch:
        patch.setattr(ownership, "make_file", without_room)
        yield patch.undo


def work(settings) -> Task:
    """A worker's turn at the only task, whose time has come."""
    Task.update(due=now() - timedelta(minutes=1)).execute()
    assert TaskRunner((import_check.KIND, import_task.KIND, data_export.KIND), settings, "w").run_one()
    return Task.get()


def send_cards(alice, **more):
    form = alice.get("/contacts/import")
    file = (io.BytesIO(CARDS), "all.vcf")
    return alice.submit(form, "form[enctype]", file=file, follow=False, **more)


def import_cards(alice, settings):
    """A file of contacts that was looked through, and is to be imported."""
    report = send_cards(alice).location
    work(settings)
    alice.submit(alice.get(report), "form[action^='/contacts/import/']", action="import", follow=False)


# --- contacts import -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("trouble", "status", "words"), [("away", 503, AWAY), ("full", 507, FULL)])
def test_a_file_of_contacts_that_cannot_be_kept_starts_nothing(alice, kept, trouble, status, words):
    setattr(kept, trouble, True)
    page = send_cards(alice)
    assert (page.status, words in page.text) == (status, True)
    assert (Task.select().count(), kept.files) == (0, {})
    assert page.one("input[type=file]")
    setattr(kept, trouble, False)
    assert send_cards(alice).status == 303
    assert (Task.select().count(), len(kept.files)) == (1, 1)


def test_a_full_disk_is_told_when_contacts_come_in(alice, settings, full_disk):
    page = send_cards(alice)
    assert (page.status, FULL in page.text) == (507, True)
    assert Task.select().count() == 0
    assert [path.name for path in Path(settings.instance, "storage").rglob("*") if path.is_file()] == [".traboule-storage"]
    full_disk()
    assert send_cards(alice).status == 303


def test_the_file_of_an_import_that_may_not_start_is_not_kept(alice, kept):
    user = User.get()
    for _ in range(store.MOST_OPEN):
        store.start(user, "other", {})
    assert "too many tasks" in send_cards(alice).text
    assert kept.files == {}


def test_an_import_waits_for_its_file_and_goes_on(alice, settings, kept):
    import_cards(alice, settings)
    kept.away = True
    task = work(settings)
    assert (task.state, task.error, Contact.select().count()) == (TaskState.WAITING, "storage-away", 0)
    assert f"{AWAY} at the moment. This will continue" in alice.get("/tasks").text
    kept.away = False
    assert (work(settings).state, Contact.select().count(), kept.files) == (TaskState.DONE, 250, {})


def test_an_import_is_done_though_its_file_cannot_be_deleted_yet(alice, settings, kept, monkeypatch):
    import_cards(alice, settings)
    insert = import_task.store.insert

    def going_away(*args):
        kept.away = True
        return insert(*args)

    monkeypatch.setattr(import_task.store, "insert", going_away)
    assert (work(settings).state, Contact.select().count()) == (TaskState.DONE, 250)
    assert undo_steps.count(Task.get()) == 250


def test_an_import_whose_file_is_gone_asks_for_it_again(alice, settings, kept):
    import_cards(alice, settings)
    kept.files.clear()
    assert (work(settings).state, Task.get().error) == (TaskState.FAILED, "file-gone")
    assert "Import it again" in alice.get("/tasks").text


# --- own data --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("trouble", "words"), [("away", AWAY), ("full", FULL)])
def test_own_data_wait_until_they_can_be_kept(alice, settings, kept, trouble, words):
    store.start(User.get(), data_export.NAME, {})
    setattr(kept, trouble, True)
    task = work(settings)
    assert (task.state, task.error) == (TaskState.WAITING, f"storage-{trouble}")
    told = alice.get("/tasks").text
    assert words in told and "This will continue" in told
    setattr(kept, trouble, False)
    assert work(settings).state == TaskState.DONE
    with zipfile.ZipFile(io.BytesIO(alice.client.get(f"/tasks/{Task.get().id}/result").data)) as archive:
        assert archive.testzip() is None
        assert {"account.json", "contacts.vcf"} <= set(archive.namelist())


def test_own_data_wait_for_room_on_the_disk(alice, settings, full_disk):
    store.start(User.get(), data_export.NAME, {})
    task = work(settings)
    assert (task.state, task.error) == (TaskState.WAITING, "storage-full")
    full_disk()
    assert work(settings).state == TaskState.DONE


def test_a_disk_that_is_full_for_hours_ends_it_in_words(alice, settings, kept):
    store.start(User.get(), data_export.NAME, {})
    kept.full = True
    for _ in range(8):
        if work(settings).state != TaskState.WAITING:
            break
    assert (Task.get().state, Task.get().error) == (TaskState.FAILED, "storage-full")
    assert "out of space for files for hours" in alice.get("/tasks").text


# --- results ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def done(alice, settings, kept) -> Task:
    store.start(User.get(), data_export.NAME, {})
    return work(settings)


def test_a_result_is_there_again_when_the_storage_is(alice, kept, done):
    kept.away = True
    page = alice.get(f"/tasks/{done.id}/result")
    assert (page.status, AWAY in page.text) == (503, True)
    kept.away = False
    assert alice.client.get(f"/tasks/{done.id}/result").data[:2] == b"PK"
    kept.files.clear()
    assert alice.get(f"/tasks/{done.id}/result").status == 410


def test_a_task_is_taken_off_the_list_though_files_are_away(alice, settings, kept, done):
    page = alice.get("/tasks")
    kept.away = True
    assert alice.submit(page, f"form[action='/tasks/{done.id}']", action="remove").status == 200
    assert Task.select().count() == 0
    assert leftovers.sweep(settings) == 0
    kept.away = False
    [name] = kept.files
    assert leftovers.sweep(settings) == 0, "it is young: its task may be about to start"
    kept.age(name, 2 * 86_400)
    assert (leftovers.sweep(settings), kept.files) == (1, {})


def test_files_of_tasks_go_with_them_after_some_days(settings, kept, done):
    [name] = kept.files
    kept.age(name, 2 * 86_400)
    assert (leftovers.sweep(settings), len(kept.files)) == (0, 1)
    Task.update(finished=now() - store.KEPT - timedelta(minutes=1)).execute()
    kept.away = True
    assert (leftovers.sweep(settings), Task.select().count()) == (0, 1)
    kept.away = False
    assert (leftovers.sweep(settings), Task.select().count(), kept.files) == (1, 0, {})


# --- remote images ---------------------------------------------------------------------------------------------------


@pytest.fixture
def web(monkeypatch):
    answer = type("Answer", (), {"status": 200, "type": "image/png", "content": picture()})
    monkeypatch.setattr(http_fetch, "get", lambda *_args, **_named: answer)


@pytest.mark.parametrize("trouble", ["away", "full"])
def test_a_remote_image_is_shown_though_it_cannot_be_kept(settings, web, monkeypatch, trouble):
    images = in_memory(monkeypatch)[StorageArea.IMAGES]
    setattr(images, trouble, True)
    assert image_cache.picture("https://images.example/a.png", settings).content == picture()
    assert image_cache.sweep(settings) == 0
    setattr(images, trouble, False)
    image_cache.picture("https://images.example/a.png", settings)
    assert len(images.files) == 1


def test_a_remote_image_is_shown_on_a_full_disk(settings, web, full_disk):
    assert image_cache.picture("https://images.example/a.png", settings).content == picture()
    assert [path for path in Path(settings.instance, "images").rglob("*") if path.is_file() and path.name[0] != "."] == []


# --- the disk itself -------------------------------------------------------------------------------------------------


def test_a_device_without_room_is_a_full_storage(tmp_path, full_disk):
    disk = LocalStorage(tmp_path / "files")
    for put in (lambda: disk.put("a", [b"1"]), lambda: disk.put("b/c", [b"x" * 1_000_000] * 2)):
        with pytest.raises(StorageFullError):
            put()
    assert list(disk.list()) == []
    assert [path.name for path in disk.root.iterdir()] == [".traboule-storage"]
