"""Large files of a message that go to a drive of its writer: chosen, brought there by a task, waited for by the outbox, undone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask

from tests.support import calendar_ground as ground
from tests.support.fakes.google_drive import SCOPE, FakeGoogleDrive
from tests.support.fakes.onedrive import FakeOneDrive
from tests.support.nextcloud import Nextcloud
from tests.support.task_work import work_all
from tests.support.transfer_ground import pieces_of, put_file
from tests.support.visits import Page, Visitor
from tests.unit.drives import clouds
from tests.unit.drives.conftest import cloud, connected
from webmail import preferences
from webmail.compose.large_files import drive_delivery, drive_facts, large_changes, large_files, link_block
from webmail.compose.large_files.large_files import FileState
from webmail.compose.outbox import link_gate
from webmail.config.settings import Settings
from webmail.models import DraftRow, Outbox, OutboxState, Session, Task, Transfer, TransferFile, User, now
from webmail.tasks import store as tasks
from webmail.transfers import content
from webmail.transfers.uploads import checking

__all__ = ["cloud"]

FORM = "form.drive-save"
FILM = bytes(range(256)) * 30_000


@pytest.fixture
def onedrive() -> Iterator[FakeOneDrive]:
    with FakeOneDrive().serving() as fake:
        yield fake


@pytest.fixture
def google() -> Iterator[FakeGoogleDrive]:
    with FakeGoogleDrive().serving() as fake:
        yield fake


@pytest.fixture
def app(tmp_path: Path, onedrive: FakeOneDrive, google: FakeGoogleDrive) -> Iterator[Flask]:
    values = {
        "services": "nextcloud, google, microsoft", "service_networks": "127.0.0.0/8", "public_url": "https://mail.lycee.example",
        "language": "en", **onedrive.settings(), **google.settings(),
    }  # fmt: skip
    with ground.application(tmp_path / "instance", **values) as made:
        yield made


@pytest.fixture
def settings(app: Flask) -> Settings:
    return app.extensions["settings"]


@pytest.fixture
def lina(app: Flask) -> Visitor:
    visitor = ground.person(app, "lina")
    Session.update(confirmed=now()).execute()
    return visitor


@pytest.fixture
def drive(lina: Visitor, settings: Settings, cloud: Nextcloud) -> int:
    (cloud.files / "Envois").mkdir()
    return connected(cloud, user(), settings).id


def user() -> User:
    return User.get(User.local == "lina")


def draft() -> DraftRow:
    more = {"body": "Hello,\n", "to": "zoe@ailleurs.example", "message_id": "<l@lycee.example>"}
    return DraftRow.create(id=os.urandom(16).hex(), user=user(), **more)


def with_film(settings: Settings, name: str = "film.mp4") -> DraftRow:
    row = draft()
    put_file(large_changes.begun(row, settings), name, FILM, settings)
    return row


def transfer_of(row: DraftRow) -> Transfer:
    found = large_files.of_draft(row.id)
    assert found is not None
    return found


def state(row: DraftRow) -> tuple[FileState, str]:
    return large_files.state_of(transfer_of(row), large_files.files(transfer_of(row)))


def text(row: DraftRow, app: Flask) -> str:
    """What the message says of its large files."""
    with app.app_context():
        block = link_block.of_draft(DraftRow.get_by_id(row.id), app.extensions["settings"])
    return block.text if block is not None else ""


def form_of(row: DraftRow) -> str:
    return f"form[action='/compose/{row.id}']:has([name=body])"


def asked(visitor: Visitor, row: DraftRow) -> Page:
    page = visitor.get(f"/compose/{row.id}")
    assert page.all("button[value=link-drive]")
    sent = visitor.submit(page, form_of(row), action="link-drive")
    assert sent.address.startswith(f"/compose/{row.id}/large/drive")
    return sent


def test_a_large_file_goes_to_ones_own_drive_with_its_link(
    lina: Visitor, app: Flask, settings: Settings, drive: int, cloud: Nextcloud
) -> None:
    row = with_film(settings)
    page = lina.submit(asked(lina, row), FORM, action="open:Envois")
    told = lina.submit(page, FORM, action="save")
    assert told.address.startswith(f"/compose/{row.id}") and "This file goes to" in told.text
    assert state(row)[0] is FileState.COMING and text(row, app) == ""
    work_all(app)
    assert (cloud.files / "Envois/film.mp4").read_bytes() == FILM
    share = next(iter(cloud.shares.values()))
    assert state(row) == (FileState.READY, "")
    written = text(row, app)
    assert f"film.mp4 (7.3\xa0MB)\n{share['url']}\nAnyone with the link can read it." in written
    assert "/t/" not in written
    page = lina.get(f"/compose/{row.id}")
    assert "on Nextcloud" in page.one("#links").get_text(" ") and not page.all("#link_days:not([type=hidden])")
    assert "the message has their links" in lina.get("/tasks").text
    # taken back: the file there and its link are gone, and the message has ours
    lina.submit(asked(lina, row), FORM, action="ours")
    work_all(app)
    assert not cloud.shares and not list((cloud.files / "Envois").iterdir())
    assert "/t/" in text(row, app) and lina.get(f"/compose/{row.id}").all("select#link_days")


def test_a_message_waits_in_the_outbox_for_its_file_to_be_there(
    lina: Visitor, app: Flask, settings: Settings, drive: int, cloud: Nextcloud
) -> None:
    row = with_film(settings)
    lina.submit(asked(lina, row), FORM, action="save")
    sent = Outbox.create(
        user=user(), draft=row.id, message_id=row.message_id, sender="lina@lycee.example", recipients="[]", subject="Film",
        content=b"x", state=OutboxState.WAITING, due=datetime(2000, 1, 1), created=now(),
    )  # fmt: skip
    assert not link_gate.may_leave(sent.id, settings) and link_gate.arrived() == []
    assert "Waiting for “film.mp4” to be on Nextcloud." in lina.get("/outbox").text
    work_all(app)
    assert link_gate.arrived() == [sent.id] and link_gate.may_leave(sent.id, settings)
    large_files.publish(transfer_of(row), now() + timedelta(days=3), "Film", settings)
    assert transfer_of(row).state == "open"  # nobody gets anything from here
    DraftRow.delete().where(DraftRow.id == row.id).execute()
    Transfer.update(created=now() - timedelta(hours=2)).execute()
    assert large_files.sweep(settings) == 1 and not TransferFile.select().exists()
    assert (cloud.files / "film.mp4").exists() and cloud.shares


def test_files_that_come_later_go_there_too_and_by_ones_usual_choice(
    lina: Visitor, app: Flask, settings: Settings, drive: int, cloud: Nextcloud
) -> None:
    row = with_film(settings)
    page = lina.submit(asked(lina, row), FORM, action="open:Envois")
    lina.submit(page, FORM, usual="1", action="save")
    work_all(app)
    assert preferences.for_user(User.get(User.local == "lina")).link_drive == f"{drive}/anyone-reads/Envois"
    late = large_changes.announce(row, "late.mp4", len(FILM), "video/mp4", settings)
    assert state(row) == (FileState.COMING, "late.mp4") and drive_delivery.begin_all(settings) == 0
    assert late.content is not None
    content.append(late.content, 0, pieces_of(FILM), settings)
    checking.check(late.content, settings)
    assert drive_delivery.begin_all(settings) == 1 and drive_delivery.begin_all(settings) == 0
    work_all(app)
    assert state(row) == (FileState.READY, "") and text(row, app).count("http") == 2
    other = with_film(settings, "next.mp4")
    assert drive_delivery.begin_all(settings) == 1
    work_all(app)
    assert (cloud.files / "Envois/next.mp4").exists() and "next.mp4" in text(other, app)
    page = asked(lina, other)
    assert page.all("[name=usual][checked]")
    lina.submit(page, FORM, usual=None, action="save")
    assert preferences.for_user(User.get(User.local == "lina")).link_drive == ""


def test_a_full_drive_keeps_the_message_and_is_told(
    lina: Visitor, app: Flask, settings: Settings, drive: int, cloud: Nextcloud
) -> None:
    cloud.free = 0
    row = with_film(settings)
    lina.submit(asked(lina, row), FORM, action="save")
    work_all(app)
    assert drive_delivery.begin_all(settings) == 0
    assert state(row)[0] is FileState.NOT_SAVED and "not enough space" in lina.get(f"/compose/{row.id}").text
    sent = lina.get(f"/compose/{row.id}")
    refused = lina.submit(sent, form_of(row), action="send")
    assert refused.status == 422 and "did not get to your online files" in refused.text
    cloud.free = 1 << 40
    lina.submit(asked(lina, row), FORM, action="save")
    work_all(app)
    assert state(row) == (FileState.READY, "")


def test_a_password_is_sealed_and_demanded_rules_are_asked(
    lina: Visitor, app: Flask, settings: Settings, drive: int, cloud: Nextcloud
) -> None:
    cloud.public = {"enabled": True, "password": {"enforced": True}}
    row = with_film(settings)
    page = asked(lina, row)
    assert lina.submit(page, FORM, action="save").status == 422 and not Task.select().exists()
    lina.submit(page, FORM, password="eau de vie", action="save")
    kept = str(transfer_of(row).drive) + Task.get().arguments
    assert "eau de vie" not in kept and not cloud.shares
    work_all(app)
    assert next(iter(cloud.shares.values()))["share_with"] and "A password is needed." in text(row, app)


def test_stopping_leaves_nothing_there_and_ours_can_be_chosen(
    lina: Visitor, app: Flask, settings: Settings, drive: int, cloud: Nextcloud
) -> None:
    row = with_film(settings)
    lina.submit(asked(lina, row), FORM, action="save")
    tasks.cancel(user(), Task.get().id)
    work_all(app)
    drive_delivery.begin_all(settings)
    assert state(row) == (FileState.NOT_SAVED, "cancelled") and not list((cloud.files / "Envois").iterdir())
    lina.submit(asked(lina, row), FORM, action="ours")
    assert state(row) == (FileState.READY, "") and drive_facts.load(transfer_of(row)) is None and not cloud.shares


@pytest.mark.parametrize("kind", ["google", "microsoft"])
def test_google_and_onedrive_take_large_files_too(
    lina: Visitor, app: Flask, settings: Settings, google: FakeGoogleDrive, onedrive: FakeOneDrive, kind: str
) -> None:
    fake, scopes = (google, SCOPE) if kind == "google" else (onedrive, "Files.ReadWrite")
    clouds.connected(fake, kind, scopes, user(), settings)
    row = with_film(settings)
    lina.submit(asked(lina, row), FORM, action="save")
    work_all(app)
    assert Task.get().state == "done", Task.get().error
    assert state(row) == (FileState.READY, "") and "https://" in text(row, app)
    lina.submit(asked(lina, row), FORM, action="ours")
    work_all(app)
    assert {one.state for one in Task.select()} == {"done"} and "/t/" in text(row, app)


def test_the_right_to_write_is_asked_for_and_leads_back(
    lina: Visitor, app: Flask, settings: Settings, onedrive: FakeOneDrive
) -> None:
    onedrive.add("/Envois", folder=True)
    onedrive.add("/Envois/x.txt", b"x")
    clouds.connected(onedrive, "microsoft", "Files.Read", user(), settings)
    row = with_film(settings)
    page = lina.submit(asked(lina, row), FORM, right="organisation-reads", action="open:/Envois")
    consent = lina.submit(page, FORM, action="save")
    assert consent.address.startswith("/services/microsoft/connect") and not Task.select().exists()
    leads = lina.submit(consent, "main form")
    back = lina.get(onedrive.agree(str(leads.one("main a.btn-primary")["href"])))
    assert back.address.startswith(f"/compose/{row.id}/large/drive?")
    assert back.one("[name=right][checked]")["value"] == "organisation-reads"
    assert back.one("input[name=folder]")["value"] == "/Envois"
    lina.submit(back, FORM, action="save")
    work_all(app)
    assert "/Envois/film.mp4" in onedrive.items and "People in your organisation" in text(row, app)


def test_nothing_is_asked_or_offered_without_a_drive_or_another_ones_draft(
    lina: Visitor, app: Flask, settings: Settings, cloud: Nextcloud
) -> None:
    row = with_film(settings)
    assert not lina.get(f"/compose/{row.id}").all("button[value=link-drive]")
    assert "Connect a service" in lina.get(f"/compose/{row.id}/large/drive").text
    assert lina.get(f"/compose/{draft().id}/large/drive", follow=False).status == 303
    assert ground.person(app, "remi").get(f"/compose/{row.id}/large/drive", follow=False).status in (303, 404)
    assert not cloud.requests
