"""Google Drive against a fake that is made from its discovery file, which also judges every request."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.fakes import discovery
from tests.support.fakes.google_drive import FOLDER, SCOPE, FakeGoogleDrive
from tests.unit.drives.clouds import CONTENT, KilledError, Saved, connected, drive_of, read, whole
from webmail.config.settings import Settings, load
from webmail.drives.drive import Drive, DriveError, DriveFault, EntryKind, LinkOrder, LinkRight, NameClash, UploadOrder
from webmail.models import ConnectedService, ServiceState, User

DOCUMENT = "application/vnd.google-apps.document"


@pytest.fixture
def google() -> Iterator[FakeGoogleDrive]:
    with FakeGoogleDrive().serving() as fake:
        yield fake
    api = discovery.document("drive.v3")
    found = [one for call in fake.called for one in discovery.problems(api, *call)]
    assert not found


@pytest.fixture
def settings(tmp_path: Path, google: FakeGoogleDrive) -> Settings:
    return load(tmp_path / "instance", services="google", public_url="https://mail.lycee.example", **google.settings())


@pytest.fixture
def connection(google: FakeGoogleDrive, yann: User, settings: Settings) -> ConnectedService:
    return connected(google, "google", SCOPE, yann, settings)


@pytest.fixture
def drive(connection: ConnectedService, settings: Settings) -> Drive:
    return drive_of(connection, settings)


def fault_of(act: Callable[[], Any]) -> DriveFault:
    with pytest.raises(DriveError) as caught:
        act()
    return caught.value.fault


def order(size: int = len(CONTENT), **more: Any) -> UploadOrder:
    return UploadOrder("", "notes.pdf", size, "application/pdf", **more)


def test_what_was_chosen_is_listed_and_nothing_else(google: FakeGoogleDrive, drive: Drive) -> None:
    folder = google.add("Cours", type=FOLDER)
    google.add("plan d'Élodie \\ fin.pdf".replace(" \\ fin", ""), b"%PDF", parent=folder.id)
    google.add("secret.pdf", b"no", chosen=False)
    google.add("../etc", b"x")
    google.add("old.pdf", b"x", trashed=True)
    page = drive.list_folder()
    assert [(one.name, one.kind, one.size) for one in page.entries] == [
        ("Cours", EntryKind.FOLDER, None), ("plan d'Élodie.pdf", EntryKind.FILE, 4),
    ]  # fmt: skip
    assert page.hidden == 1
    assert [one.name for one in drive.list_folder(folder.id).entries] == ["plan d'Élodie.pdf"]
    assert [one.name for one in drive.search("d'éLO").entries] == ["plan d'Élodie.pdf"]
    assert not drive.search("x' or name contains '").entries


def test_ten_thousand_files_are_one_request_a_page(google: FakeGoogleDrive, drive: Drive) -> None:
    for number in range(10_000):
        google.add(f"{number:05}.txt", b"x")
    page = drive.list_folder()
    assert len(page.entries) == 100 and len(google.called) == 1
    assert drive.list_folder("", page.cursor).entries[0].name == "00100.txt"


def test_a_file_is_fetched_whole_and_from_where_it_broke_off(google: FakeGoogleDrive, drive: Drive) -> None:
    google.add("notes.pdf", CONTENT)
    [entry] = drive.list_folder().entries
    assert whole(drive, entry) == CONTENT
    assert whole(drive, entry, 1_234_567) == CONTENT[1_234_567:]
    assert whole(drive, entry, len(CONTENT)) == b""
    google.files[entry.id].content = CONTENT[:-1] + b"!"
    assert fault_of(lambda: whole(drive, entry, 5)) is DriveFault.CHANGED
    google.files[entry.id].chosen = False
    assert fault_of(lambda: whole(drive, entry)) is DriveFault.GONE
    assert fault_of(lambda: drive.entry("../x")) is DriveFault.GONE


def test_documents_come_as_pdf_or_office_and_shortcuts_as_what_they_lead_to(google: FakeGoogleDrive, drive: Drive) -> None:
    sheet = google.add("Notes", b"%PDF of a sheet", type="application/vnd.google-apps.spreadsheet")
    google.add("Raccourci", target=sheet.id)
    google.add("Sondage", type="application/vnd.google-apps.form")
    entries = {one.name: one for one in drive.list_folder().entries}
    assert entries["Notes"].exports[0] == "application/pdf" and len(entries["Notes"].exports) == 3
    assert whole(drive, entries["Raccourci"], export="application/pdf") == b"%PDF of a sheet"
    assert entries["Sondage"].exports == () and entries["Sondage"].kind is EntryKind.DOCUMENT
    assert fault_of(lambda: whole(drive, entries["Sondage"], export="application/pdf")) is DriveFault.REFUSED
    sheet.content = b"x" * 10_000_001
    assert fault_of(lambda: whole(drive, entries["Notes"], export="application/pdf")) is DriveFault.TOO_LARGE


def test_an_upload_goes_in_pieces_and_can_be_undone(google: FakeGoogleDrive, drive: Drive) -> None:
    saved = Saved()
    entry = drive.upload(order(), read, {}, saved)
    assert google.files[entry.id].content == CONTENT and entry.name == "notes.pdf"
    assert saved.sent[-1] == len(CONTENT)
    assert drive.upload(order(), read, {}, Saved()).name == "notes (2).pdf"
    assert fault_of(lambda: drive.upload(order(clash=NameClash.REFUSE), read, {}, Saved())) is DriveFault.NAME_TAKEN
    drive.delete(entry)
    assert google.files[entry.id].trashed
    google.files[entry.id].trashed, google.files[entry.id].content = False, b"changed since"
    assert fault_of(lambda: drive.delete(entry)) is DriveFault.CHANGED
    assert drive.upload(UploadOrder("", "empty.txt", 0, "text/plain"), lambda _start: iter(()), {}, Saved()).size == 0


@pytest.mark.parametrize("killed_at", range(1, 6))
@pytest.mark.parametrize("before", [False, True])
def test_after_a_kill_it_goes_on_and_is_there_once(google: FakeGoogleDrive, drive: Drive, killed_at: int, before: bool) -> None:
    saved = Saved(killed_at=killed_at, before=before)
    with pytest.raises(KilledError):
        drive.upload(order(), read, {}, saved)
    entry = drive.upload(order(), read, saved.state, Saved())
    assert [one.content == CONTENT for one in google.files.values()] == [True]
    assert google.files[entry.id].name == "notes.pdf"


def test_a_session_whose_end_nobody_saw_and_that_is_over_makes_no_second_file(google: FakeGoogleDrive, drive: Drive) -> None:
    saved = Saved(killed_at=5, before=True)  # the last piece was taken, and nothing noted
    with pytest.raises(KilledError):
        drive.upload(order(), read, {}, saved)
    google.uploads.clear()
    assert drive.upload(order(), read, saved.state, Saved()).name == "notes.pdf"
    assert len(google.files) == 1


def test_a_session_is_kept_sealed(google: FakeGoogleDrive, drive: Drive) -> None:
    saved = Saved(killed_at=3)
    with pytest.raises(KilledError):
        drive.upload(order(), read, {}, saved)
    [number] = google.uploads
    assert number not in str(saved.state) and "upload_id" not in str(saved.state)
    drive.abandon(saved.state)
    assert not google.uploads


def test_what_is_wrong_is_told_apart(google: FakeGoogleDrive, drive: Drive, connection: ConnectedService) -> None:
    google.room = 5
    assert fault_of(lambda: drive.upload(order(), read, {}, Saved())) is DriveFault.FULL
    for status, body, fault in (
        (403, {"error": {"errors": [{"reason": "userRateLimitExceeded"}]}}, DriveFault.BUSY),
        (429, {}, DriveFault.BUSY),
        (500, {}, DriveFault.AWAY),
        (503, {}, DriveFault.AWAY),
        (403, {"error": {"errors": [{"reason": "insufficientPermissions"}]}}, DriveFault.RIGHT_MISSING),
        (404, {}, DriveFault.GONE),
        (200, ["no object"], DriveFault.NOT_UNDERSTOOD),
    ):
        google.fault("/drive/v3/files", status, body)
        assert fault_of(lambda: drive.list_folder()) is fault, (status, body)
    google.fault("/drive/v3/files", 429, {}, Retry_After="120")
    with pytest.raises(DriveError) as caught:
        drive.list_folder()
    assert caught.value.after == 120
    google.expire()  # 401 in the middle: a fresh token is asked for, once
    assert drive.list_folder().entries == []
    google.revoke_all()
    google.expire()
    assert fault_of(lambda: drive.list_folder()) is DriveFault.SIGN_IN
    assert ConnectedService.get_by_id(connection.id).state == ServiceState.REFUSED


def test_links_say_who_may_read_and_those_of_before_stay(google: FakeGoogleDrive, drive: Drive) -> None:
    file = google.add("notes.pdf", b"x")
    [entry] = drive.list_folder().entries
    made = drive.make_link(entry, LinkOrder())
    assert made.right is LinkRight.ANYONE_READS and made.url == f"https://drive.google.com/file/d/{file.id}"
    assert not drive.make_link(entry, LinkOrder()).id  # it was there: nothing to undo
    drive.remove_link(made)
    assert file.anyone == ""
    drive.remove_link(made)
    file.anyone = "writer"
    assert drive.make_link(entry, LinkOrder()).right is LinkRight.ANYONE_WRITES
    file.anyone, file.may_share = "", False
    assert fault_of(lambda: drive.make_link(entry, LinkOrder())) is DriveFault.LINK_REFUSED
    assert drive.make_link(entry, LinkOrder(LinkRight.CHOSEN_PEOPLE)).right is LinkRight.CHOSEN_PEOPLE


def test_without_the_right_nothing_is_asked(google: FakeGoogleDrive, yann: User, settings: Settings) -> None:
    narrow = drive_of(connected(google, "google", "openid", yann, settings), settings)
    assert fault_of(lambda: narrow.list_folder()) is DriveFault.RIGHT_MISSING
    assert fault_of(lambda: narrow.upload(order(), read, {}, Saved())) is DriveFault.RIGHT_MISSING
    assert not google.called
