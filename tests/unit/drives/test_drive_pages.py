"""Files on a Nextcloud as a person without scripts meets them: connected, looked through, attached."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask

from tests.support import calendar_ground as ground
from tests.support.nextcloud import LOGIN, PASSWORD, Nextcloud
from tests.support.task_work import work_all
from tests.support.visits import Page, Visitor
from tests.unit.drives.conftest import connected
from webmail.compose.large_files import large_changes
from webmail.models import (
    AttachmentRow,
    ConnectedService,
    DraftRow,
    Outbox,
    Session,
    StoredContent,
    SystemMessage,
    Task,
    TransferFile,
    User,
    now,
)
from webmail.transfers import content

CONNECT = "/services/nextcloud/connect"
FORM = f"form[action='{CONNECT}']"


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    values = {
        "services": "nextcloud", "service_networks": "127.0.0.0/8", "public_url": "https://mail.lycee.example",
        "system_address": "noreply@lycee.example", "smtp_security": "none",
    }  # fmt: skip
    with ground.application(tmp_path / "instance", **values) as made:
        yield made


@pytest.fixture
def nadia(app: Flask) -> Visitor:
    visitor = ground.person(app, "nadia")
    Session.update(confirmed=now()).execute()
    return visitor


@pytest.fixture
def number(nadia: Visitor, app: Flask, cloud: Nextcloud) -> int:
    """Of a Nextcloud that she has connected."""
    user = User.get(User.local == "nadia")
    return connected(cloud, user, app.extensions["settings"]).id


def draft() -> DraftRow:
    return DraftRow.create(id=os.urandom(16).hex(), user=User.get(User.local == "nadia"), message_id="<d@lycee.example>")


def names(page: Page) -> list[str]:
    return [cell.get_text(" ", strip=True) for cell in page.all(".drive-table td.wide")]


# --- connecting ------------------------------------------------------------------------------------------------------


def test_a_nextcloud_is_connected_on_its_own_page(nadia: Visitor, cloud: Nextcloud) -> None:
    page = nadia.submit(nadia.get(CONNECT), FORM, server=cloud.url, action="flow")
    assert str(page.one("main ol a")["href"]).startswith(f"{cloud.url}/index.php/login/v2/flow/")
    early = nadia.submit(page, FORM, action="agreed")
    assert "has not heard from you" in early.text
    cloud.agree()
    done = nadia.submit(early, FORM, action="agreed")
    assert "is connected" in done.notices
    made = ConnectedService.get()
    assert (made.address, made.login) == (cloud.root, LOGIN)
    assert PASSWORD.encode() not in bytes(made.secret)
    assert "A service was connected" in [one.subject for one in SystemMessage.select()]


def test_a_login_flow_is_its_own_persons(nadia: Visitor, app: Flask, cloud: Nextcloud) -> None:
    page = nadia.submit(nadia.get(CONNECT), FORM, server=cloud.url, action="flow")
    cloud.agree()
    stolen = str(page.one("input[name=flow]")["value"])
    other = ground.person(app, "omar")
    Session.update(confirmed=now()).execute()
    refused = other.submit(other.get(CONNECT), FORM, action="agreed", flow=stolen)
    assert "Begin again" in refused.notices and not ConnectedService.select().exists()


def test_a_server_is_connected_by_an_app_password(nadia: Visitor, plain: Nextcloud) -> None:
    form = nadia.get(CONNECT)
    wrong = nadia.submit(form, FORM, server=plain.root, login=LOGIN, password="no", action="password")
    assert (
        wrong.status == 422
        and "refuses this user name" in wrong.text
        and "no" not in [t.get("value") for t in wrong.all("input")]
    )
    right = nadia.submit(wrong, FORM, password=PASSWORD, action="password")
    assert "is connected" in right.notices
    assert nadia.submit(form, FORM, server="http://10.0.0.1/", login="a", password="b", action="password").status == 422


# --- looking ---------------------------------------------------------------------------------------------------------


def test_nothing_is_asked_before_a_folder_is_opened(nadia: Visitor, number: int, cloud: Nextcloud) -> None:
    nadia.get("/services")
    assert "Nextcloud" in nadia.get("/transfers").text
    nadia.get("/compose")
    assert not cloud.requests


def test_folders_are_looked_through(nadia: Visitor, number: int, cloud: Nextcloud) -> None:
    (cloud.files / "Sorties & co" / "2026").mkdir(parents=True)
    (cloud.files / "Sorties & co" / "plan <1>.pdf").write_bytes(b"%PDF")
    page = nadia.get("/drives")
    assert page.address == f"/drives/{number}" and names(page) == ["Sorties & co"]
    page = nadia.get(page.link("Sorties & co"))
    assert names(page) == ["2026", "plan _1_.pdf"]
    assert len([one for one in cloud.requests if one[0] == "PROPFIND"]) == 2
    found = nadia.get(f"/drives/{number}?words=plan")
    assert names(found) == ["plan _1_.pdf"] and "Search results" in found.text
    assert nadia.get(f"/drives/{number}/nothing").status == 404
    assert nadia.get("/drives/4711").status == 404
    assert ground.person(nadia.client.application, "omar").get(f"/drives/{number}").status == 404


def test_pages_lead_both_ways(nadia: Visitor, number: int, cloud: Nextcloud) -> None:
    for one in range(250):
        (cloud.files / f"{one:03}.txt").write_bytes(b"x")
    first = nadia.get(f"/drives/{number}")
    assert names(first)[0] == "000.txt" and not first.all("a[rel=prev]")
    second = nadia.get(first.link("Next page"))
    assert names(second)[0] == "100.txt" and second.link("First page") == f"/drives/{number}"
    third = nadia.get(second.link("Next page"))
    assert names(third)[0] == "200.txt" and not third.all("a[rel=next]")
    assert names(nadia.get(third.link("Previous page")))[0] == "100.txt"
    assert len([one for one in cloud.requests if one[0] == "PROPFIND"]) == 1  # all of it was read a moment ago
    found = nadia.get(f"/drives/{number}?words=txt")
    assert nadia.get(found.link("Next page")).link("First page") == f"/drives/{number}?words=txt"


def test_what_is_wrong_is_said(nadia: Visitor, number: int, cloud: Nextcloud) -> None:
    cloud.password = "another"
    page = nadia.get(f"/drives/{number}")
    assert "no longer lets you in" in page.text
    assert page.link("Connect it again")


# --- attaching -------------------------------------------------------------------------------------------------------


def picker(nadia: Visitor, number: int) -> tuple[DraftRow, Page, str]:
    row = draft()
    address = f"/compose/{row.id}/drive/{number}"
    return row, nadia.get(f"/compose/{row.id}/drive"), f"form[action='{address}']"


def test_copies_of_several_folders_are_attached(nadia: Visitor, number: int, cloud: Nextcloud) -> None:
    (cloud.files / "Deep").mkdir()
    (cloud.files / "a.txt").write_bytes(b"aaa")
    (cloud.files / "Deep" / "b.txt").write_bytes(b"bbb")
    row, page, form = picker(nadia, number)
    page = nadia.submit(page, form, file="a.txt", action="open:Deep")
    assert names(page) == ["b.txt"] and "1 more file selected elsewhere" in page.text
    nadia.submit(page, form, file="Deep/b.txt", action="attach", follow=False)
    assert {one.filename: one.size for one in row.attachments} == {"a.txt": 3, "b.txt": 3}


def test_a_file_that_is_gone_is_told(nadia: Visitor, number: int, cloud: Nextcloud) -> None:
    (cloud.files / "a.txt").write_bytes(b"aaa")
    row, page, form = picker(nadia, number)
    nadia.submit(page, form, file=["a.txt", "b.txt", "../../etc/passwd"], action="attach", follow=False)
    assert [one.filename for one in row.attachments] == ["a.txt"]


def test_larger_files_are_attached_by_a_task(nadia: Visitor, number: int, cloud: Nextcloud, app: Flask) -> None:
    (cloud.files / "film.mp4").write_bytes(os.urandom(6_000_000))
    row, page, form = picker(nadia, number)
    nadia.submit(page, form, file="film.mp4", action="attach", follow=False)
    assert Task.get().kind == "drive-attach"
    work_all(app)
    assert Task.get().state == "done", Task.get().error
    assert [(one.filename, one.size) for one in AttachmentRow.select()] == [("film.mp4", 6_000_000)]
    assert "1 file attached" in nadia.get("/tasks").text


def test_a_message_does_not_leave_without_what_is_still_coming(nadia: Visitor, number: int, cloud: Nextcloud, app: Flask) -> None:
    (cloud.files / "film.mp4").write_bytes(os.urandom(6_000_000))
    row, page, form = picker(nadia, number)
    nadia.submit(page, form, file="film.mp4", action="attach", follow=False)
    filled = {"to": "omar@lycee.example", "subject": "Film", "body": "Here."}
    held = nadia.submit(nadia.get(f"/compose/{row.id}"), "form.compose-form", action="send", **filled)
    assert held.status == 422 and "1 of your online files is still being attached. Nothing has been sent yet." in held.text
    assert not Outbox.select().exists() and Task.get().state == "waiting"
    work_all(app)
    nadia.submit(held, "form.compose-form", action="send", follow=False)
    assert Outbox.select().count() == 1
    assert [one.filename for one in AttachmentRow.select()] == ["film.mp4"]


def test_it_leaves_without_where_that_is_wished(nadia: Visitor, number: int, cloud: Nextcloud, app: Flask) -> None:
    (cloud.files / "film.mp4").write_bytes(os.urandom(6_000_000))
    row, page, form = picker(nadia, number)
    nadia.submit(page, form, file="film.mp4", action="attach", follow=False)
    at = {"day": (now() + timedelta(days=9)).date().isoformat(), "hour": "09:30"}
    filled = {"to": "omar@lycee.example", "subject": "Film", "body": "Here."}
    held = nadia.submit(nadia.get(f"/compose/{row.id}"), "form.compose-form", action="later:at", **filled, **at)
    assert not Outbox.select().exists() and "Scheduled for" in held.text
    nadia.submit(held, "form.compose-form", action="send-without", follow=False)
    assert Task.get().state == "cancelled"
    assert Outbox.get().due > now() + timedelta(days=7)  # still later
    work_all(app)
    assert not AttachmentRow.select().exists()


def test_a_message_is_written_with_what_was_ticked(nadia: Visitor, number: int, cloud: Nextcloud) -> None:
    (cloud.files / "a.txt").write_bytes(b"aaa")
    page = nadia.get(f"/drives/{number}")
    nadia.submit(page, f"form[action='/compose/drive/{number}']", file="a.txt", follow=False)
    assert [one.filename for one in DraftRow.get().attachments] == ["a.txt"]


def test_what_is_too_large_for_a_message_goes_as_a_link_of_ours_and_comes_out_again(
    nadia: Visitor, number: int, cloud: Nextcloud, app: Flask
) -> None:
    (cloud.files / "film.mp4").write_bytes(os.urandom(40_000_000))
    (cloud.files / "a.txt").write_bytes(b"aaa")
    row, page, form = picker(nadia, number)
    assert "Larger files go as a link." in page.text
    nadia.submit(page, form, file=["film.mp4", "a.txt"], action="attach", follow=False)
    work_all(app)
    assert Task.get().state == "done", Task.get().error
    file = TransferFile.select(TransferFile, StoredContent).join(StoredContent).get()
    assert (file.path, file.size, file.content.received) == ("film.mp4", 40_000_000, 40_000_000)
    told = nadia.get("/tasks")
    assert "2 files attached. 1 was too large for a message and goes as a link." in told.text
    written = nadia.get(f"/compose/{row.id}")
    assert "film.mp4" in written.one("#links").get_text() and "a.txt" in written.text
    undone = nadia.submit(told, "form[action='/compose/drive/undo']")
    assert "2 files removed from the message." in undone.notices and "Undone." in undone.text
    assert not TransferFile.select().exists() and not AttachmentRow.select().exists()


def test_what_left_with_a_message_is_not_taken_out(nadia: Visitor, number: int, cloud: Nextcloud, app: Flask) -> None:
    (cloud.files / "film.mp4").write_bytes(os.urandom(6_000_000))
    row, page, form = picker(nadia, number)
    nadia.submit(page, form, file="film.mp4", action="attach", follow=False)
    work_all(app)
    told = nadia.get("/tasks")
    DraftRow.delete().where(DraftRow.id == row.id).execute()
    assert "was sent or deleted" in nadia.submit(told, "form[action='/compose/drive/undo']").notices


def test_a_killed_fetch_goes_on_where_it_was(nadia: Visitor, number: int, cloud: Nextcloud, app: Flask) -> None:
    (cloud.files / "film.mp4").write_bytes(os.urandom(40_000_000))
    row, page, form = picker(nadia, number)
    nadia.submit(page, form, file="film.mp4", action="attach", follow=False)
    settings = app.extensions["settings"]
    task = Task.get()
    file = large_changes.announce(DraftRow.get_by_id(row.id), "film.mp4", 40_000_000, "video/mp4", settings)
    with (cloud.files / "film.mp4").open("rb") as half:
        assert file.content is not None
        content.append(file.content, 0, [half.read(9_000_000)], settings)
    Task.update(cursor=json.dumps({"at": 0, "file": file.id, "links": 0})).where(Task.id == task.id).execute()
    work_all(app)
    assert Task.get().state == "done", Task.get().error
    assert TransferFile.select().count() == 1
    kept = StoredContent.get()
    assert b"".join(content.read(kept, settings)) == (cloud.files / "film.mp4").read_bytes()
