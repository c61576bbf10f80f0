"""Links to files on other servers, as a person without scripts puts them into a message: the rights first, then the links."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from flask import Flask

from tests.support import calendar_ground as ground
from tests.support.fakes.google_drive import SCOPE, FakeGoogleDrive
from tests.support.fakes.onedrive import FakeOneDrive
from tests.support.nextcloud import Nextcloud
from tests.support.task_work import work_all
from tests.support.visits import Page, Visitor
from tests.support.visits import fields_of as sent_of
from tests.unit.drives import clouds
from tests.unit.drives.conftest import connected
from webmail.compose.attachments import drive_files, drive_links
from webmail.compose.drafts import drafts
from webmail.compose.drafts.fields import fields_of, revision_of
from webmail.drives.drive import DriveFault
from webmail.drives.drive_texts import fault_words
from webmail.models import ConnectedService, DraftRow, Session, User, now

CONSENT = "/services/microsoft/connect"


@pytest.fixture
def google() -> Iterator[FakeGoogleDrive]:
    with FakeGoogleDrive().serving() as fake:
        yield fake


@pytest.fixture
def onedrive() -> Iterator[FakeOneDrive]:
    with FakeOneDrive().serving() as fake:
        yield fake


@pytest.fixture
def app(tmp_path: Path, google: FakeGoogleDrive, onedrive: FakeOneDrive) -> Iterator[Flask]:
    values = {
        "services": "nextcloud, google, microsoft", "service_networks": "127.0.0.0/8", "public_url": "https://mail.lycee.example",
        "system_address": "noreply@lycee.example", "smtp_security": "none", **google.settings(), **onedrive.settings(),
    }  # fmt: skip
    with ground.application(tmp_path / "instance", **values) as made:
        yield made


@pytest.fixture
def lina(app: Flask) -> Visitor:
    visitor = ground.person(app, "lina")
    Session.update(confirmed=now()).execute()
    return visitor


def user() -> User:
    return User.get(User.local == "lina")


def draft(body: str = "Hello,\n", format: str = "") -> DraftRow:
    more = {"body": body, "format": format, "message_id": "<l@lycee.example>"}
    return DraftRow.create(id=os.urandom(16).hex(), user=user(), **more)


def body(row: DraftRow) -> str:
    return str(DraftRow.get_by_id(row.id).body)


def asked(visitor: Visitor, row: DraftRow, number: int, *files: str) -> Page:
    """What shows after ticking files and *Put a link*."""
    address = f"/compose/{row.id}/drive/{number}"
    page = visitor.get(address)
    assert page.one("button[value=link]").get_text() == "Put a link"
    return visitor.submit(page, f"form[action='{address}']", file=list(files), action="link")


def put(visitor: Visitor, page: Page, **fields: object) -> Page:
    return visitor.submit(page, "main form.form", follow=False, **fields)


@pytest.fixture
def nextcloud(lina: Visitor, app: Flask, cloud: Nextcloud) -> int:
    (cloud.files / "plan [1].pdf").write_bytes(b"%PDF")
    (cloud.files / "b.txt").write_bytes(b"bbb")
    return connected(cloud, user(), app.extensions["settings"]).id


def undo(visitor: Visitor, row: DraftRow, number: int) -> Page:
    address = f"/compose/{row.id}/drive/{number}/links/undo"
    return visitor.submit(visitor.get(f"/compose/{row.id}"), f"form[action='{address}']", follow=False)


def test_rights_are_shown_before_a_link_is_made_and_stand_in_the_text(lina: Visitor, nextcloud: int, cloud: Nextcloud) -> None:
    row = draft()
    page = asked(lina, row, nextcloud, "plan [1].pdf", "b.txt")
    assert "Anyone with the link can read it." in page.text and not cloud.shares
    put(lina, page)
    urls = [share["url"] for share in cloud.shares.values()]
    blocks = [
        f"{name}\n{url}\nAnyone with the link can read it." for name, url in zip(("plan [1].pdf", "b.txt"), urls, strict=True)
    ]
    assert body(row) == "Hello,\n\n" + "\n\n".join(blocks) + "\n"
    undo(lina, row, nextcloud)
    assert body(row).strip() == "Hello," and not cloud.shares


def test_a_slow_service_has_its_links_made_in_several_steps(
    lina: Visitor, nextcloud: int, cloud: Nextcloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    (cloud.files / "c.txt").write_bytes(b"ccc")
    monkeypatch.setattr(drive_links, "SECONDS", 0.0)
    monkeypatch.setattr(drive_files, "entries", lambda drive, ids, _end, whole=drive_files.entries: whole(drive, ids))
    row, day = draft(), (now().date() + timedelta(days=9)).isoformat()
    page = asked(lina, row, nextcloud, "b.txt", "c.txt", "plan [1].pdf")
    for left in (2, 1):
        page = lina.get(put(lina, page, expires=day, password="").location)
        assert f"is slow: {left} link" in page.notices and "1 link is in your message." in page.notices
        assert page.one("[name=expires]")["value"] == day and len(page.all("main form [name=file]")) == left
    last = put(lina, page)
    assert last.location.startswith(f"/compose/{row.id}") and "/links" not in last.location
    assert len(cloud.shares) == 3 and all(share["url"] in body(row) for share in cloud.shares.values())


def test_a_service_that_is_too_slow_to_be_asked_leaves_the_files_ticked(
    lina: Visitor, nextcloud: int, cloud: Nextcloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = draft()
    page = asked(lina, row, nextcloud, "b.txt")
    monkeypatch.setattr(drive_links, "SECONDS", 0.0)
    again = lina.get(put(lina, page).location)
    assert again.one("input[name=file][checked]")["value"] == "b.txt" and not cloud.shares and body(row) == "Hello,\n"


def test_undo_leaves_links_of_before(lina: Visitor, nextcloud: int, cloud: Nextcloud) -> None:
    put(lina, asked(lina, draft(), nextcloud, "b.txt"))
    row = draft()
    put(lina, asked(lina, row, nextcloud, "b.txt", "plan [1].pdf"))
    assert len(cloud.shares) == 2
    undo(lina, row, nextcloud)
    assert [share["path"] for share in cloud.shares.values()] == ["/b.txt"] and body(row).strip() == "Hello,"


def test_formatted_text_gets_a_formatted_link_above_the_signature(lina: Visitor, nextcloud: int, cloud: Nextcloud) -> None:
    row = draft("Hello,\n\n> before\n", "markdown")
    put(lina, asked(lina, row, nextcloud, "plan [1].pdf"))
    url = cloud.shares[1]["url"]
    assert body(row) == f"Hello,\n\n[plan \\[1\\].pdf]({url})\nAnyone with the link can read it.\n\n> before\n"


def test_a_text_that_another_window_stored_meanwhile_stays(lina: Visitor, nextcloud: int, cloud: Nextcloud) -> None:
    row = draft()
    before = fields_of(row)
    DraftRow.update(writer="w" * 16).where(DraftRow.id == row.id).execute()
    page = asked(lina, row, nextcloud, "b.txt")
    DraftRow.update(body="Typed later.\n", updated=now()).where(DraftRow.id == row.id).execute()
    put(lina, page)
    assert body(row).startswith("Typed later.\n\nb.txt\n")
    with pytest.raises(drafts.DraftChangedElsewhereError):  # the window that stored last does not know of the links
        drafts.store(user(), row.id, before, writer="w" * 16, began_from=revision_of(before))


def test_what_the_service_demands_is_asked(lina: Visitor, nextcloud: int, cloud: Nextcloud) -> None:
    cloud.public = {
        "enabled": True, "password": {"enforced": True}, "expire_date": {"enabled": True, "days": "7", "enforced": True},
    }  # fmt: skip
    row = draft()
    page = asked(lina, row, nextcloud, "b.txt")
    late = (now().date() + timedelta(days=30)).isoformat()
    refused = put(lina, page, expires=late)
    assert refused.status == 422 and "requires a password" in refused.text and "Choose a day that" in refused.text
    assert not cloud.shares
    put(lina, page, password="a long one")
    assert "A password is needed. Last day: " in body(row) and "a long one" not in body(row)


def test_where_no_links_are_allowed_it_says_so(lina: Visitor, nextcloud: int, cloud: Nextcloud) -> None:
    cloud.public = {"enabled": False}
    page = asked(lina, draft(), nextcloud, "b.txt")
    assert "can’t make links" in page.notices and page.one("input[name=file][checked]")["value"] == "b.txt"
    assert "Select files first." in asked(lina, draft(), nextcloud).notices
    many = asked(lina, draft(), nextcloud, *(f"{number}.txt" for number in range(11)))
    assert "up to 10 files" in many.notices and not cloud.shares


def test_a_plain_server_offers_no_links(lina: Visitor, app: Flask, plain: Nextcloud) -> None:
    (plain.files / "b.txt").write_bytes(b"b")
    number, row = connected(plain, user(), app.extensions["settings"]).id, draft()
    assert not lina.get(f"/compose/{row.id}/drive/{number}").all("button[value=link]")
    page = lina.get(f"/compose/{row.id}/drive/{number}/links?file=b.txt")
    assert "can’t make links" in page.notices


def test_a_person_has_only_their_own_drives_drafts_and_undo(lina: Visitor, app: Flask, nextcloud: int, cloud: Nextcloud) -> None:
    row = draft()
    put(lina, asked(lina, row, nextcloud, "b.txt"))
    token = lina.get(f"/compose/{row.id}").one("input[name=made]")["value"]
    other = ground.person(app, "remi")
    address = f"/compose/{row.id}/drive/{nextcloud}/links"
    assert other.get(address).status == 404
    another = draft()
    form = lina.get(f"/compose/{another.id}")
    lina.post(f"/compose/{another.id}/drive/{nextcloud}/links/undo", {
        "csrf_token": form.all("[name=csrf_token]")[0]["value"], "made": token,
    })  # fmt: skip
    assert cloud.shares and "b.txt" in body(row)


def test_a_missing_right_is_asked_for_and_leads_back(lina: Visitor, app: Flask, onedrive: FakeOneDrive) -> None:
    onedrive.add("/notes.pdf", b"x")
    number = clouds.connected(onedrive, "microsoft", "Files.Read", user(), app.extensions["settings"]).id
    row = draft()
    page = asked(lina, row, number, "/notes.pdf")
    assert "People in your organisation can read it." in page.text
    consent = lina.submit(page, "main form.form")
    assert consent.address.startswith(CONSENT) and "needs your permission" in consent.notices
    assert consent.one("input[name=purpose]")["value"] == "drive-write" and body(row) == "Hello,\n"
    back = str(consent.one("input[name=next]")["value"])
    assert back.startswith(f"/compose/{row.id}/drive/{number}/links?") and "notes.pdf" in lina.get(back).text


def test_a_link_that_one_file_does_not_get_is_told(lina: Visitor, app: Flask, google: FakeGoogleDrive) -> None:
    number = clouds.connected(google, "google", SCOPE, user(), app.extensions["settings"]).id
    open_, shut = google.add("open.pdf", b"x"), google.add("shut.pdf", b"x")
    shut.may_share = False
    row = draft()
    page = lina.get(put(lina, asked(lina, row, number, shut.id, open_.id)).location)
    told = fault_words(DriveFault.LINK_REFUSED, "Google")
    assert f"No link to “shut.pdf”. {told}" in page.notices and "1 link is in your message." in page.notices
    assert "open.pdf\nhttps://drive.google.com/" in body(row) and "shut.pdf" not in body(row)
    open_.anyone = "writer"
    again = draft()
    page = lina.get(put(lina, asked(lina, again, number, open_.id)).location)
    assert "shared differently from what you chose" in page.notices and "can read and change it" in body(again)


def test_a_link_can_be_for_who_has_access_already(lina: Visitor, app: Flask, google: FakeGoogleDrive) -> None:
    number = clouds.connected(google, "google", SCOPE, user(), app.extensions["settings"]).id
    file, row = google.add("open.pdf", b"x"), draft()
    put(lina, asked(lina, row, number, file.id), right="chosen-people")
    assert "Only people you have given access to can open it." in body(row) and not file.anyone


def chosen_in_google(visitor: Visitor, google: FakeGoogleDrive, number: int, page: Page, *ticked: str, login: str = "") -> Page:
    """What *Choose in Google Drive* leads to, pressed with these files ticked, once files were chosen there."""
    form = page.one("[name=action][value=choose]").find_parent("form")
    assert form is not None
    sent = visitor.post(str(form["action"]), {**sent_of(form), "file": list(ticked), "action": "choose"})
    google.login = login or google.login
    address = str(sent.one("main a.btn-primary")["href"])
    return visitor.get(google.agree(re.sub("login_hint=[^&]*", f"login_hint={login}", address) if login else address))


def test_files_are_chosen_in_google_drive_and_ticks_stay(lina: Visitor, app: Flask, google: FakeGoogleDrive) -> None:
    number = clouds.connected(google, "google", SCOPE, user(), app.extensions["settings"]).id
    before, file, row = google.add("before.pdf", b"%PDF"), google.add("plan.pdf", b"%PDF", chosen=False), draft()
    google.picks = [file.id]
    for address in (f"/drives/{number}", f"/compose/{row.id}/drive/{number}"):
        file.chosen = False
        page = chosen_in_google(lina, google, number, lina.get(address), before.id)
        assert page.address.partition("?")[0] == address and "plan.pdf" in page.text
        assert [one["value"] for one in page.all("[name=file][checked]")] == [before.id]
        assert "1 file was chosen" in page.notices


def test_another_google_account_than_the_connected_one_is_told(lina: Visitor, app: Flask, google: FakeGoogleDrive) -> None:
    number = clouds.connected(google, "google", SCOPE, user(), app.extensions["settings"]).id
    google.picks = [google.add("plan.pdf", b"%PDF", chosen=False).id]
    page = chosen_in_google(lina, google, number, lina.get(f"/drives/{number}"), login="other@example.org")
    assert "You chose files as other@example.org, but this connection is for marie@example.org" in page.notices
    assert "was chosen" not in page.notices


def test_google_documents_are_copied_as_one_chooses(lina: Visitor, app: Flask, google: FakeGoogleDrive) -> None:
    number = clouds.connected(google, "google", SCOPE, user(), app.extensions["settings"]).id
    file, row = google.add("Plan", b"", type="application/vnd.google-apps.document"), draft()
    form = f"form[action='/compose/{row.id}/drive/{number}']"
    for style in ("pdf", "office"):
        page = lina.get(f"/compose/{row.id}/drive/{number}")
        assert [one["value"] for one in page.all("#style option")] == ["pdf", "office"]
        lina.submit(page, form, file=file.id, style=style, action="attach", follow=False)
        work_all(app)
    assert [one.filename for one in row.attachments] == ["Plan.pdf", "Plan.docx"]
    plain = google.add("a.txt", b"a")
    google.files = {plain.id: plain}
    assert not lina.get(f"/compose/{row.id}/drive/{number}").all("#style")


def test_google_takes_no_consent_without_a_challenge(google: FakeGoogleDrive, lina: Visitor) -> None:
    page = lina.submit(lina.get("/services/google/connect"), "form[action='/services/google/connect']", purpose="drive")
    address = str(page.one("main a.btn-primary")["href"])
    assert "code_challenge=" in address and "code_challenge_method=S256" in address
    bare = re.sub("&code_challenge[^&]*=[^&]*", "", address)
    with google.app.test_client() as browser:
        parts = urlsplit(bare)
        assert browser.get(f"{parts.path}?{parts.query}").status_code == 400


def test_an_answer_for_another_challenge_connects_nothing(google: FakeGoogleDrive, lina: Visitor) -> None:
    """Somebody swaps the challenge on the way: what our session's verifier does not fit gives no tokens."""
    page = lina.submit(lina.get("/services/google/connect"), "form[action='/services/google/connect']", purpose="drive")
    swapped = re.sub("code_challenge=[^&]*", "code_challenge=" + "A" * 43, str(page.one("main a.btn-primary")["href"]))
    told = lina.get(google.agree(swapped))
    assert not ConnectedService.select().exists() and told.address == "/services" and told.notices
