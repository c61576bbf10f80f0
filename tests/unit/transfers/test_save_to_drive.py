"""Files of transfers, one's own and those that guests sent, are saved to a drive, as a person without scripts does it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from tests.support import calendar_ground as ground
from tests.support.fakes.onedrive import FakeOneDrive
from tests.support.nextcloud import Nextcloud
from tests.support.task_work import work_all
from tests.support.transfer_ground import published, put_file
from tests.support.visits import Page, Visitor
from tests.unit.drives import clouds
from tests.unit.drives.conftest import cloud, connected
from webmail.config.settings import Settings
from webmail.models import ConnectedService, StoredContent, Task, Transfer, User
from webmail.transfers import store
from webmail.transfers.requests import guests, requests
from webmail.transfers.requests.guests import Guest
from webmail.transfers.requests.requests import Wishes

__all__ = ["cloud"]

FORM = "form.drive-save"
FILES = {"Photos/cloître.jpg": b"j" * 70_000, "Other/cloître.jpg": b"k" * 9, "film.mp4": bytes(range(256)) * 20_000}


@pytest.fixture
def onedrive() -> Iterator[FakeOneDrive]:
    with FakeOneDrive().serving() as fake:
        yield fake


@pytest.fixture
def app(tmp_path: Path, onedrive: FakeOneDrive) -> Iterator[Flask]:
    values = {
        "services": "nextcloud, microsoft", "service_networks": "127.0.0.0/8", "public_url": "https://mail.lycee.example",
        **onedrive.settings(),
    }  # fmt: skip
    with ground.application(tmp_path / "instance", **values) as made:
        yield made


@pytest.fixture
def settings(app: Flask) -> Settings:
    return app.extensions["settings"]


@pytest.fixture
def lina(app: Flask) -> Visitor:
    return ground.person(app, "lina")


@pytest.fixture
def drive(lina: Visitor, settings: Settings, cloud: Nextcloud) -> int:
    (cloud.files / "Envois" / "2026").mkdir(parents=True)
    return connected(cloud, user(), settings).id


def user(local: str = "lina") -> User:
    return User.get(User.local == local)


def in_folder(visitor: Visitor, transfer: Transfer) -> Page:
    """The page in the folder Envois/2026, reached from the transfer's own."""
    page = visitor.get(visitor.get(f"/transfers/{transfer.id}").link("Save to online files…"))
    page = visitor.submit(page, FORM, action="open:Envois")
    return visitor.submit(page, FORM, action="open:Envois/2026")


def there(cloud: Nextcloud) -> dict[str, bytes]:
    return {one.name: one.read_bytes() for one in (cloud.files / "Envois/2026").iterdir()}


def test_a_transfer_is_saved_and_taken_back(lina: Visitor, app: Flask, settings: Settings, drive: int, cloud: Nextcloud) -> None:
    transfer = published(user(), FILES, settings)
    page = in_folder(lina, transfer)
    assert len(page.all("[name=file][checked]")) == 3
    told = lina.submit(page, FORM, action="save")
    assert told.address == f"/transfers/{transfer.id}" and "Saving 3 files to another server." in told.notices
    lina.submit(page, FORM, action="save")  # a second click saves nothing twice
    work_all(app)
    found = {**FILES, "cloître.jpg": FILES["Photos/cloître.jpg"], "cloître (2).jpg": FILES["Other/cloître.jpg"]}
    assert there(cloud) == {name: found[name] for name in ("cloître.jpg", "cloître (2).jpg", "film.mp4")}
    tasks = lina.get("/tasks")
    assert "3 files saved." in tasks.text and "“cloître (2).jpg”" in tasks.text
    assert tasks.link("Open the folder") == f"/drives/{drive}/Envois/2026"
    lina.submit(tasks, "form[action='/drives/undo']")
    work_all(app)
    assert not there(cloud) and "Undone." in lina.get("/tasks").text


def test_some_of_what_a_guest_sent_is_saved(lina: Visitor, app: Flask, settings: Settings, drive: int, cloud: Nextcloud) -> None:
    made, _asked = requests.make(user(), Wishes("Dossier"), "en", settings, [])
    found = guests.find_request(requests.token(made, settings))
    assert found is not None
    sent = guests.begin(found, Guest("Zoé Durand"), settings)
    put_file(sent, "a.txt", b"aaa", settings)
    kept = put_file(sent, "b.txt", b"bbb", settings)
    guests.send(sent, settings)
    page = in_folder(lina, sent)
    nothing = lina.submit(page, FORM, file=None, action="save")
    assert "Select files first." in nothing.notices and not Task.select().exists()
    lina.submit(page, FORM, file=kept.id, action="save")
    work_all(app)
    assert there(cloud) == {"b.txt": b"bbb"}


def test_ticks_go_along_to_other_folders_and_drives(
    lina: Visitor, settings: Settings, drive: int, cloud: Nextcloud, onedrive: FakeOneDrive
) -> None:
    other = clouds.connected(onedrive, "microsoft", "Files.ReadWrite", user(), settings).id
    transfer = published(user(), FILES, settings)
    one = store.files(transfer)[1].id
    page = lina.get(f"/transfers/{transfer.id}/save-to-drive?drive={drive}")
    for action in ("open:Envois", f"drive:{other}", f"drive:{drive}"):
        page = lina.submit(page, FORM, file=one, action=action)
        assert [box["value"] for box in page.all("[name=file][checked]")] == [str(one)], action


def test_the_right_to_write_is_asked_for_and_leads_back(
    lina: Visitor, app: Flask, settings: Settings, onedrive: FakeOneDrive
) -> None:
    onedrive.add("/Envois", folder=True)
    onedrive.add("/Envois/x.txt", b"x")
    number = clouds.connected(onedrive, "microsoft", "Files.Read", user(), settings).id
    transfer = published(user(), FILES, settings)
    ticked = [str(one.id) for one in store.files(transfer)][1:]
    page = lina.submit(lina.get(f"/transfers/{transfer.id}/save-to-drive"), FORM, file=ticked, action="open:/Envois")
    asked = lina.submit(page, FORM, file=ticked, action="save")
    assert asked.address.startswith("/account/confirm")  # a change that matters: the password once more
    asked = lina.submit(asked, "form[action='/account/confirm']", password=lina.password)
    assert asked.address.startswith("/services/microsoft/connect") and not Task.select().exists()
    leads = lina.submit(asked, "main form")
    back = lina.get(onedrive.agree(str(leads.one("main a.btn-primary")["href"])))
    assert back.address.startswith(f"/transfers/{transfer.id}/save-to-drive?")
    assert [box["value"] for box in back.all("[name=file][checked]")] == ticked
    assert back.one("input[name=folder]")["value"] == "/Envois" and "is connected" in back.notices
    assert ConnectedService.get_by_id(number).scopes != "Files.Read"
    lina.submit(back, FORM, action="save")
    work_all(app)
    assert Task.get().state == "done", Task.get().error
    assert set(onedrive.items) == {"/Envois", "/Envois/x.txt", "/Envois/cloître.jpg", "/Envois/film.mp4"}


def test_a_full_drive_and_files_that_are_gone_are_told(
    lina: Visitor, app: Flask, settings: Settings, drive: int, cloud: Nextcloud
) -> None:
    transfer = published(user(), FILES, settings)
    page = in_folder(lina, transfer)
    cloud.free = 0
    lina.submit(page, FORM, action="save")
    work_all(app)
    assert "not enough space" in lina.get("/tasks").text and not there(cloud)
    cloud.free = 10_000_000
    Task.delete().execute()
    lina.submit(in_folder(lina, transfer), FORM, action="save")
    store.close(transfer, "owner")
    work_all(app)
    assert "A file is no longer here." in lina.get("/tasks").text and not there(cloud)


def test_only_what_can_be_opened_here_is_offered(lina: Visitor, settings: Settings, drive: int) -> None:
    sealed = published(user(), {"a.txt": b"a"}, settings, link_key=b"k" * 32)
    browser = published(user(), {"a.txt": b"a"}, settings)
    Transfer.update(end_to_end='{"v": 1}').where(Transfer.id == browser.id).execute()
    over = published(user(), {"a.txt": b"a"}, settings)
    store.close(over, "owner")
    refused = published(user(), {"a.txt": b"a", "b.txt": b"b"}, settings)
    StoredContent.update(state="refused").where(StoredContent.id == store.files(refused)[0].content_id).execute()
    for transfer in (sealed, browser, over):
        assert "Save to online files" not in lina.get(f"/transfers/{transfer.id}").text
        assert "can’t be saved from here" in lina.get(f"/transfers/{transfer.id}/save-to-drive").notices
    page = lina.get(f"/transfers/{refused.id}/save-to-drive")
    assert "b.txt" in page.one(FORM).get_text() and "a.txt" not in page.one(FORM).get_text()


def test_anothers_transfer_and_drive_are_not_there(lina: Visitor, app: Flask, settings: Settings, drive: int) -> None:
    transfer = published(user(), FILES, settings)
    remi = ground.person(app, "remi")
    assert remi.get(f"/transfers/{transfer.id}/save-to-drive").status == 404
    own = published(user("remi"), FILES, settings)
    assert remi.get(f"/transfers/{own.id}/save-to-drive").address == "/drives"
    page = remi.get(f"/transfers/{own.id}")
    stolen = {"csrf_token": page.all("[name=csrf_token]")[0]["value"], "drive": drive, "action": "save", "file": 1}
    assert remi.post(f"/transfers/{own.id}/save-to-drive", stolen).status == 404 and not Task.select().exists()
