"""OneDrive against a fake that is made from the reference of Microsoft Graph."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.support.fakes.onedrive import FakeItem, FakeOneDrive, FakeSite
from tests.unit.drives.clouds import CONTENT, KilledError, Saved, connected, drive_of, read, whole
from webmail.config.settings import Settings, load
from webmail.drives.drive import Drive, DriveError, DriveFault, EntryKind, LinkOrder, LinkRight, NameClash, UploadOrder
from webmail.drives.microsoft import site_lists
from webmail.drives.microsoft.places import PlaceNames
from webmail.models import ConnectedService, User


@pytest.fixture
def onedrive() -> Iterator[FakeOneDrive]:
    with FakeOneDrive().serving() as fake:
        yield fake
    assert not fake.tokens_at_content


@pytest.fixture
def settings(tmp_path: Path, onedrive: FakeOneDrive) -> Settings:
    return load(tmp_path / "instance", services="microsoft", public_url="https://mail.lycee.example", **onedrive.settings())


@pytest.fixture
def connection(onedrive: FakeOneDrive, yann: User, settings: Settings) -> ConnectedService:
    return connected(onedrive, "microsoft", "Files.ReadWrite", yann, settings)


@pytest.fixture
def drive(connection: ConnectedService, settings: Settings) -> Drive:
    return drive_of(connection, settings)


def fault_of(act: Callable[[], Any]) -> DriveFault:
    with pytest.raises(DriveError) as caught:
        act()
    return caught.value.fault


def order(size: int = len(CONTENT), folder: str = "", **more: Any) -> UploadOrder:
    return UploadOrder(folder, "notes.pdf", size, "application/pdf", **more)


def test_folders_have_their_way_from_the_root_by_one_request(onedrive: FakeOneDrive, drive: Drive) -> None:
    onedrive.add("/Cours & co", folder=True)
    onedrive.add("/Cours & co/6e A", folder=True)
    onedrive.add("/Cours & co/6e A/plan #1 100%.pdf", b"%PDF")
    onedrive.add("/Cours & co/6e A/Carnet", notebook=True)
    onedrive.add("/a.txt", b"abc")
    page = drive.list_folder()
    assert [(one.name, one.kind, one.size) for one in page.entries] == [
        ("Cours & co", EntryKind.FOLDER, None), ("a.txt", EntryKind.FILE, 3),
    ]  # fmt: skip
    onedrive.asked.clear()
    page = drive.list_folder("/Cours & co/6e A")
    assert [(one.name, one.kind) for one in page.entries] == [
        ("Carnet", EntryKind.DOCUMENT),
        ("plan #1 100%.pdf", EntryKind.FILE),
    ]
    assert [(one.id, one.name) for one in page.crumbs] == [
        ("", ""), ("/Cours & co", "Cours & co"), ("/Cours & co/6e A", "6e A"),
    ]  # fmt: skip
    assert len(onedrive.asked) == 1
    assert whole(drive, page.entries[1]) == b"%PDF"
    assert drive.space().free == onedrive.room


def test_what_a_search_finds_is_opened_by_its_id(onedrive: FakeOneDrive, drive: Drive) -> None:
    onedrive.add("/Cours", folder=True)
    onedrive.add("/Cours/l'été.pdf", b"%PDF")
    [folder] = drive.search("cours").entries
    page = drive.list_folder(folder.id)
    assert [one.id for one in page.entries] == ["/Cours/l'été.pdf"]
    assert [one.name for one in page.crumbs] == ["", "Cours"]
    [entry] = drive.search("L'É").entries
    assert whole(drive, entry) == b"%PDF"
    assert drive.upload(order(folder=folder.id), read, {}, Saved()).id == "/Cours/notes.pdf"


def test_ten_thousand_files_are_one_request_a_page(onedrive: FakeOneDrive, drive: Drive) -> None:
    for number in range(10_000):
        onedrive.add(f"/{number:05}.txt", b"x")
    page = drive.list_folder()
    assert len(page.entries) == 100 and [verb for verb, _path in onedrive.asked].count("GET") == 1
    assert drive.list_folder("", page.cursor).entries[0].name == "00100.txt"


@pytest.mark.parametrize(
    "path",
    [
        "../x",
        "/../x",
        "/a//b",
        "/a/..",
        "!a/b",
        "library:x",
        "site:",
        "library:a:b!1:!a/b",
        "library:a:b/c:/x",
        "!../me",
        "/a\0",
        "/" + "x" * 3000,
    ],
)
def test_no_id_leads_elsewhere(onedrive: FakeOneDrive, drive: Drive, path: str) -> None:
    assert fault_of(lambda: drive.list_folder(path)) is DriveFault.GONE
    assert fault_of(lambda: drive.entry(path)) is DriveFault.GONE
    assert not onedrive.asked


def test_a_file_is_fetched_from_where_it_broke_off(onedrive: FakeOneDrive, drive: Drive) -> None:
    file = onedrive.add("/notes.pdf", CONTENT)
    [entry] = drive.list_folder().entries
    assert whole(drive, entry) == CONTENT
    assert whole(drive, entry, 1_234_567) == CONTENT[1_234_567:]
    assert whole(drive, entry, len(CONTENT)) == b""
    file.content = b"another"
    assert fault_of(lambda: whole(drive, entry)) is DriveFault.CHANGED
    del onedrive.items["/notes.pdf"]
    assert fault_of(lambda: whole(drive, entry)) is DriveFault.GONE


def test_an_upload_goes_in_pieces_and_can_be_undone(onedrive: FakeOneDrive, drive: Drive) -> None:
    saved = Saved()
    entry = drive.upload(order(), read, {}, saved)
    assert onedrive.items["/notes.pdf"].content == CONTENT and entry.size == len(CONTENT)
    assert saved.sent[-1] == len(CONTENT)
    assert drive.upload(order(), read, {}, Saved()).name == "notes (2).pdf"
    assert fault_of(lambda: drive.upload(order(clash=NameClash.REFUSE), read, {}, Saved())) is DriveFault.NAME_TAKEN
    onedrive.items["/notes.pdf"].content = b"changed since"
    assert fault_of(lambda: drive.delete(entry)) is DriveFault.CHANGED
    onedrive.items["/notes.pdf"].content = CONTENT
    drive.delete(entry)
    assert "/notes.pdf" not in onedrive.items
    drive.delete(entry)
    assert drive.upload(UploadOrder("", "a:b?.txt", 0, "text/plain"), lambda _start: iter(()), {}, Saved()).name == "a_b_.txt"


@pytest.mark.parametrize("killed_at", range(1, 6))
@pytest.mark.parametrize("before", [False, True])
def test_after_a_kill_it_goes_on_and_is_there_once(onedrive: FakeOneDrive, drive: Drive, killed_at: int, before: bool) -> None:
    saved = Saved(killed_at=killed_at, before=before)
    with pytest.raises(KilledError):
        drive.upload(order(), read, {}, saved)
    entry = drive.upload(order(), read, saved.state, Saved())
    assert {path: one.content == CONTENT for path, one in onedrive.items.items()} == {"/notes.pdf": True}
    assert entry.id == "/notes.pdf"


def test_a_session_is_kept_sealed_and_a_lost_one_begins_anew(onedrive: FakeOneDrive, drive: Drive) -> None:
    saved = Saved(killed_at=3)
    with pytest.raises(KilledError):
        drive.upload(order(), read, {}, saved)
    [number] = onedrive.sessions
    assert number not in str(saved.state) and onedrive.url not in str(saved.state)
    onedrive.sessions.clear()  # it ran out
    assert drive.upload(order(), read, saved.state, Saved()).size == len(CONTENT)
    with pytest.raises(KilledError):
        drive.upload(order(), read, {}, again := Saved(killed_at=3))
    drive.abandon(again.state)
    assert not onedrive.sessions


def test_what_is_wrong_is_told_apart(onedrive: FakeOneDrive, drive: Drive) -> None:
    onedrive.room = 5
    assert fault_of(lambda: drive.upload(order(), read, {}, Saved())) is DriveFault.FULL
    path = "/v1.0/me/drive/root/children"
    for status, code, fault in (
        (429, "activityLimitReached", DriveFault.BUSY),
        (503, "serviceNotAvailable", DriveFault.AWAY),
        (403, "accessDenied", DriveFault.REFUSED),
        (404, "itemNotFound", DriveFault.GONE),
        (410, "resyncRequired", DriveFault.GONE),
    ):
        onedrive.fault(path, status, {"error": {"code": code, "message": "no"}})
        assert fault_of(lambda: drive.list_folder()) is fault, code
    onedrive.keeps = 320 * 1024
    onedrive.room = 1 << 40
    assert fault_of(lambda: drive.upload(order(), read, {}, Saved())) is DriveFault.AWAY  # it kept less: later, from there
    onedrive.revoke_all()
    onedrive.expire()
    assert fault_of(lambda: drive.list_folder()) is DriveFault.SIGN_IN


def test_links_are_as_narrow_as_the_organisation_wants_and_can_end(onedrive: FakeOneDrive, drive: Drive) -> None:
    file = onedrive.add("/notes.pdf", b"x")
    [entry] = drive.list_folder().entries
    made = drive.make_link(entry, LinkOrder(expires=date(2026, 12, 31)))
    assert made.right is LinkRight.ANYONE_READS and made.url.startswith("https://1drv.ms/") and made.expires
    assert not drive.make_link(entry, LinkOrder()).id  # it was there: nothing to undo
    drive.remove_link(made)
    assert not file.links
    drive.remove_link(made)
    onedrive.scopes_of_links = ["organization"]
    assert fault_of(lambda: drive.make_link(entry, LinkOrder())) is DriveFault.LINK_REFUSED
    assert drive.make_link(entry, LinkOrder(LinkRight.ORGANISATION_READS)).right is LinkRight.ORGANISATION_READS


def test_folders_open_without_the_slash_that_addresses_of_pages_lose(onedrive: FakeOneDrive, drive: Drive) -> None:
    onedrive.add("/Cours", folder=True)
    onedrive.add("/Cours/a.txt", b"x")
    onedrive.add("/!urgent.txt", b"y")
    page = drive.list_folder("Cours")
    assert [one.id for one in page.entries] == ["/Cours/a.txt"] and page.crumbs[-1].id == "/Cours"
    assert drive.upload(order(folder="Cours"), read, {}, Saved()).id == "/Cours/notes.pdf"
    urgent = next(one for one in drive.list_folder().entries if one.name == "!urgent.txt")
    assert drive.entry(urgent.id.lstrip("/")).name == "!urgent.txt"


# --- SharePoint ------------------------------------------------------------------------------------------------------


@pytest.fixture
def with_sites(settings: Settings) -> Settings:
    return replace(settings, microsoft_sites="write")


@pytest.fixture
def school(onedrive: FakeOneDrive) -> FakeSite:
    """A site with two libraries, the first of which has a folder and a file in it."""
    site = onedrive.add_site("Équipe 6e A", "Documents", "Archives")
    items = site.libraries[0].items
    items["/Sorties & co"] = FakeItem("/Sorties & co", folder=True)
    items["/Sorties & co/plan 100%.pdf"] = FakeItem("/Sorties & co/plan 100%.pdf", CONTENT)
    return site


def sites_drive(
    onedrive: FakeOneDrive, yann: User, settings: Settings, scopes: str = "Files.ReadWrite Sites.ReadWrite.All"
) -> Drive:
    return drive_of(connected(onedrive, "microsoft", scopes, yann, settings), settings)


def test_sites_have_their_way_from_the_root(onedrive: FakeOneDrive, school: FakeSite, yann: User, with_sites: Settings) -> None:
    drive = sites_drive(onedrive, yann, with_sites)
    onedrive.add_site("Administration", "Documents", followed=False)
    sites = drive.list_folder().entries[0]
    assert (sites.id, sites.name, sites.is_folder) == ("sites:", "SharePoint", True)
    [site] = drive.list_folder(sites.id).entries
    assert site.name == "Équipe 6e A"
    libraries = drive.list_folder(site.id)
    assert [one.name for one in libraries.entries] == ["Archives", "Documents"] and not libraries.may_write
    [folder] = drive.list_folder(libraries.entries[1].id).entries
    onedrive.asked.clear()
    page = drive.list_folder(folder.id)
    assert len(onedrive.asked) == 1  # the names on the way are known from the pages before
    assert [one.name for one in page.crumbs] == ["", "SharePoint", "Équipe 6e A", "Documents", "Sorties & co"]
    for crumb in page.crumbs:
        drive.list_folder(crumb.id)
    assert page.may_write and (page.part_name, page.part) == ("Documents", libraries.entries[1].id)
    [entry] = page.entries
    assert whole(drive, entry) == CONTENT and drive.entry(entry.id) == entry
    assert whole(drive, entry, 1_234_567) == CONTENT[1_234_567:]


def test_the_way_is_asked_for_where_it_is_not_known(
    onedrive: FakeOneDrive, school: FakeSite, yann: User, with_sites: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site_lists, "NAMES", PlaceNames())
    drive = sites_drive(onedrive, yann, with_sites)
    page = drive.list_folder(f"library:{school.id}:{school.libraries[0].id}:/Sorties & co")
    assert [one.name for one in page.crumbs] == ["", "SharePoint", "Équipe 6e A", "Documents", "Sorties & co"]


def test_sites_and_libraries_are_searched(onedrive: FakeOneDrive, school: FakeSite, yann: User, with_sites: Settings) -> None:
    drive = sites_drive(onedrive, yann, with_sites)
    onedrive.add("/plan of mine.pdf", b"x")
    for number in range(120):
        onedrive.add_site(f"Club {number:03}", "Documents", followed=False)
    page = drive.search("club", folder="sites:")
    assert len(page.entries) == 100 and page.part == "sites:"
    assert [one.name for one in drive.search("club", page.cursor, "sites:").entries][0] == "Club 100"
    library = f"library:{school.id}:{school.libraries[0].id}:"
    [found] = drive.search("plan", folder=library).entries
    assert found.name == "plan 100%.pdf" and whole(drive, found) == CONTENT
    assert [one.name for one in drive.search("plan").entries] == ["plan of mine.pdf"]
    [folder] = drive.search("sorties", folder=library).entries
    assert [one.name for one in drive.list_folder(folder.id).crumbs][-2:] == ["Documents", "Sorties & co"]


def test_a_library_takes_files_and_gives_them_back(
    onedrive: FakeOneDrive, school: FakeSite, yann: User, with_sites: Settings
) -> None:
    drive, items = sites_drive(onedrive, yann, with_sites), school.libraries[0].items
    there = f"library:{school.id}:{school.libraries[0].id}:/Sorties & co"
    saved = Saved(killed_at=3)
    with pytest.raises(KilledError):
        drive.upload(order(folder=there), read, {}, saved)
    entry = drive.upload(order(folder=there), read, saved.state, Saved())
    assert entry.id == f"{there}/notes.pdf" and items["/Sorties & co/notes.pdf"].content == CONTENT
    assert drive.upload(order(folder=there), read, {}, Saved()).name == "notes (2).pdf"
    assert drive.upload(order(0, there), lambda _start: iter(()), {}, Saved()).name == "notes (3).pdf"
    made = drive.make_link(entry, LinkOrder())
    drive.remove_link(made)
    drive.delete(entry)
    assert "/Sorties & co/notes.pdf" not in items and not onedrive.items
    for folder in ("sites:", f"site:{school.id}"):
        assert fault_of(lambda folder=folder: drive.upload(order(folder=folder), read, {}, Saved())) is DriveFault.REFUSED  # type: ignore[misc]


def test_sites_are_off_until_the_administrator_and_the_person_allow_them(
    onedrive: FakeOneDrive, school: FakeSite, yann: User, settings: Settings, with_sites: Settings
) -> None:
    library = f"library:{school.id}:{school.libraries[0].id}:"
    off = sites_drive(onedrive, yann, settings)  # the consent is there, and the setting is not
    assert not off.list_folder().entries
    onedrive.asked.clear()
    for folder in ("sites:", f"site:{school.id}", library, f"{library}/Sorties & co"):
        assert fault_of(lambda folder=folder: off.list_folder(folder)) is DriveFault.GONE  # type: ignore[misc]
        assert fault_of(lambda folder=folder: off.search("x", folder=folder)) is DriveFault.GONE  # type: ignore[misc]
    assert fault_of(lambda: off.entry(f"{library}/x")) is DriveFault.GONE
    assert fault_of(lambda: off.upload(order(folder=library), read, {}, Saved())) is DriveFault.GONE
    assert not onedrive.asked
    ConnectedService.delete().execute()
    narrow = sites_drive(onedrive, yann, with_sites, "Files.ReadWrite")
    assert narrow.list_folder().entries[0].id == "sites:"
    assert fault_of(lambda: narrow.list_folder("sites:")) is DriveFault.RIGHT_MISSING
    ConnectedService.delete().execute()
    reading = replace(with_sites, microsoft_sites="read")
    reader = sites_drive(onedrive, yann, reading, "Files.ReadWrite Sites.Read.All")
    assert not reader.list_folder(library).may_write
    assert fault_of(lambda: reader.upload(order(folder=library), read, {}, Saved())) is DriveFault.REFUSED


def test_who_may_only_read_is_asked_before_anything_is_written(onedrive: FakeOneDrive, yann: User, settings: Settings) -> None:
    narrow = drive_of(connected(onedrive, "microsoft", "Files.Read", yann, settings), settings)
    onedrive.add("/notes.pdf", b"x")
    [entry] = narrow.list_folder().entries
    onedrive.asked.clear()
    assert fault_of(lambda: narrow.upload(order(), read, {}, Saved())) is DriveFault.RIGHT_MISSING
    assert fault_of(lambda: narrow.make_link(entry, LinkOrder())) is DriveFault.RIGHT_MISSING
    assert not onedrive.asked
