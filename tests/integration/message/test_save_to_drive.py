"""Attachments and whole messages are saved to a Nextcloud, as a person without scripts does it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask

from deploy.demo.services import Services
from tests.support import strangers
from tests.support.attachments import file, letter
from tests.support.nextcloud import Nextcloud
from tests.support.task_work import worker_for
from tests.support.visits import Page, Visitor
from tests.unit.drives.conftest import connected
from webmail.database.connection import db
from webmail.models import ConnectedService, Task, User

FORM = "form.drive-save"


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Nextcloud]:
    with Nextcloud(tmp_path / "cloud").serve() as server:
        (server.files / "Courrier" / "2026").mkdir(parents=True)
        yield server


@pytest.fixture
def app(services: Services, tmp_path: Path) -> Iterator[Flask]:
    with strangers.checking_app(services, tmp_path / "instance", service_networks="127.0.0.0/8") as made:
        yield made


@pytest.fixture
def work(app: Flask) -> Callable[[], int]:
    return worker_for(app)


@pytest.fixture
def uid(person: Visitor, fill: Callable[..., list[int]]) -> int:
    return fill(person, letter("Sortie", file("plan.pdf", b"%PDF-1", "pdf"), file("liste.txt", b"Lou", "octet-stream")))[-1]


@pytest.fixture
def drive(app: Flask, person: Visitor, cloud: Nextcloud) -> Iterator[int]:
    """Of a Nextcloud that the person has connected."""
    with db.connection_context():
        row = connected(cloud, User.get(User.address == person.address), app.extensions["settings"])
    yield row.id
    with db.connection_context():
        ConnectedService.delete().execute()


def there(cloud: Nextcloud, folder: str = "Courrier/2026") -> list[str]:
    return sorted(one.name for one in (cloud.files / folder).iterdir())


def in_folder(person: Visitor, uid: int, link: str = "/save-to-drive/") -> Page:
    shown = person.get(f"/message/{uid}/INBOX")
    page = person.get(next(str(one["href"]) for one in shown.all(f"a[href^='{link}']") if "section=" not in str(one["href"])))
    ticked = [str(one["value"]) for one in page.all("[name=section][checked]")]
    page = person.submit(page, FORM, section=ticked, action="open:Courrier")
    return person.submit(page, FORM, section=ticked, action="open:Courrier/2026")


def test_files_are_saved_numbered_and_taken_back(
    person: Visitor, uid: int, drive: int, cloud: Nextcloud, work: Callable[[], int]
) -> None:
    (cloud.files / "Courrier/2026/liste.txt").write_bytes(b"of before")
    page = in_folder(person, uid)
    ticked = [str(one["value"]) for one in page.all("[name=section][checked]")]
    assert len(ticked) == 2
    person.submit(page, FORM, section=ticked, action="save")
    person.submit(page, FORM, section=ticked, action="save")  # a second click saves nothing twice
    work()
    assert there(cloud) == ["liste (2).txt", "liste.txt", "plan.pdf"]
    assert (cloud.files / "Courrier/2026/liste (2).txt").read_bytes() == b"Lou"
    told = person.get("/tasks")
    assert "2 files saved." in told.text and "saved as “liste (2).txt”" in told.text
    assert told.link("Open the folder") == f"/drives/{drive}/Courrier/2026"
    person.submit(told, "form[action='/drives/undo']")
    work()
    assert there(cloud) == ["liste.txt"] and "Undone." in person.get("/tasks").text


def test_folders_on_further_pages_are_reached_and_left(person: Visitor, uid: int, drive: int, cloud: Nextcloud) -> None:
    for one in range(150):
        (cloud.files / f"{one:03}").mkdir()
    page = person.get(f"/save-to-drive/{uid}/INBOX")
    assert "First page" not in page.text and len(page.all("form.drive-save .rows li")) == 100
    page = person.submit(page, FORM, section="2", action="page:100")
    assert len(page.all("form.drive-save .rows li")) == 51
    [back] = [one["value"] for one in page.all("button[name=action]") if one.get_text(strip=True) == "First page"]
    page = person.submit(page, FORM, section="2", action=str(back))
    assert len(page.all("form.drive-save .rows li")) == 100
    assert [str(one["value"]) for one in page.all("[name=section][checked]")] == ["2"]  # what was ticked stays so


def test_one_file_and_the_whole_message(person: Visitor, uid: int, drive: int, cloud: Nextcloud, work: Callable[[], int]) -> None:
    page = in_folder(person, uid)
    person.submit(page, FORM, section=["2", "whole"], action="save")
    work()
    assert there(cloud) == ["Sortie.eml", "plan.pdf"]
    assert b"Subject: Sortie" in (cloud.files / "Courrier/2026/Sortie.eml").read_bytes()


def test_a_full_drive_and_a_message_that_is_gone(
    person: Visitor, uid: int, drive: int, cloud: Nextcloud, work: Callable[[], int]
) -> None:
    page = in_folder(person, uid)
    cloud.free = 0
    person.submit(page, FORM, section="2", action="save")
    work()
    assert "not enough space" in person.get("/tasks").text
    person.submit(page, FORM, section="9", action="save")
    work()
    with db.connection_context():
        assert sorted(task.error for task in Task.select()) == ["drive-full", "message-gone"]


def test_without_the_right_to_write_it_is_asked_for(person: Visitor, uid: int, app: Flask) -> None:
    with db.connection_context():
        user = User.get(User.address == person.address)
        row = ConnectedService.create(
            user=user, provider="microsoft", title="OneDrive", login="x", scopes="Files.Read", state="refused", secret=b"x"
        )
    page = person.get(f"/save-to-drive/{uid}/INBOX?folder=F1")
    asked = person.submit(page, FORM, section="2", action="save", follow=False)
    assert asked.status == 303
    address = asked.headers["Location"]
    validity = page.one("[name=v]")["value"]
    query = parse_qs(urlsplit(address).query)
    assert address.startswith("/services/microsoft/connect?") and query["purpose"] == ["drive", "drive-write"]
    back = urlsplit(query["next"][0])
    assert back.path == f"/save-to-drive/{uid}/INBOX"
    assert parse_qs(back.query) == {"v": [validity], "drive": [str(row.id)], "section": ["2"], "folder": ["F1"]}
    with db.connection_context():
        row.delete_instance()
        assert not Task.select().where(Task.user == user).exists()


def test_who_has_no_drive_sees_no_button(person: Visitor, uid: int) -> None:
    assert "/save-to-drive/" not in person.get(f"/message/{uid}/INBOX").text
    assert person.get(f"/save-to-drive/{uid}/INBOX", follow=False).status == 303
