"""Drives on a Nextcloud and on plain WebDAV servers: folders, downloads, uploads that break off, and servers that mean harm."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest
from werkzeug.wrappers import Response

from tests.support import nextcloud as fake_nextcloud
from tests.support.nextcloud import LOGIN, PASSWORD, Nextcloud
from tests.unit.drives.conftest import connected
from webmail.config.settings import Settings
from webmail.drives import open_drives
from webmail.drives.drive import (
    PAGE,
    PIECE,
    Drive,
    DriveError,
    DriveFault,
    LinkOrder,
    NameClash,
    State,
    UploadOrder,
    numbered_name,
)
from webmail.drives.webdav import paths
from webmail.drives.webdav.folder_cache import FolderCache
from webmail.drives.webdav.listing import FolderRow, WholeFolder
from webmail.drives.webdav.nextcloud import NextcloudDrive
from webmail.http_fetch import FetchedResponse
from webmail.models import User
from webmail.services import nextcloud_sign_in


class Killed(Exception):
    """The process ends here."""


def reading(content: bytes) -> Callable[[int], Iterator[bytes]]:
    return lambda start: iter([content[at : at + 300_000] for at in range(start, len(content), 300_000)])


class Kept:
    """What an upload remembers; it is killed when it saves for the `kill`th time."""

    def __init__(self, kill: int = 0) -> None:
        self.state: State = {}
        self.sent: list[int] = []
        self.kill = kill

    def __call__(self, state: State, sent: int) -> None:
        self.state = dict(state)
        self.sent.append(sent)
        if len(self.sent) == self.kill:
            raise Killed


class Asked:
    """Requests that keep the bodies of what is asked, and answer that nothing was found."""

    def __init__(self, bodies: list[bytes]) -> None:
        self.bodies = bodies

    def ask(self, _method: str, url: str, _headers: object, body: bytes, **_more: object) -> FetchedResponse:
        self.bodies.append(body)
        return FetchedResponse(url, 207, "text/xml", b"<D:multistatus xmlns:D='DAV:'/>")


def put(drive: Drive, name: str, content: bytes, folder: str = "", clash: NameClash = NameClash.RENAME) -> str:
    return drive.upload(UploadOrder(folder, name, len(content), clash=clash), reading(content), {}, Kept()).id


def fault_of(call: Callable[[], object]) -> DriveFault:
    with pytest.raises(DriveError) as caught:
        call()
    return caught.value.fault


@pytest.fixture(params=["cloud", "plain"])
def both(request: pytest.FixtureRequest, yann: User, settings: Settings) -> tuple[Nextcloud, Drive]:
    server: Nextcloud = request.getfixturevalue(request.param)
    return server, open_drives.open_drive(connected(server, yann, settings), settings)


# --- looking ---------------------------------------------------------------------------------------------------------


def test_a_folder_is_one_request(both: tuple[Nextcloud, Drive]) -> None:
    server, drive = both
    (server.files / "Été 2026" / "Sub").mkdir(parents=True)
    (server.files / "Été 2026" / "plan & co.pdf").write_bytes(b"%PDF")
    server.requests.clear()
    page = drive.list_folder("Été 2026")
    assert [(one.name, one.is_folder, one.size) for one in page.entries] == [("Sub", True, None), ("plan & co.pdf", False, 4)]
    assert [(crumb.id, crumb.name) for crumb in page.crumbs] == [("", ""), ("Été 2026", "Été 2026")]
    assert page.space is not None and page.space.free == server.free
    assert len(server.requests) == 1
    assert drive.entry("Été 2026/plan & co.pdf").version


def test_the_first_page_of_ten_thousand_entries_is_one_request(cloud: Nextcloud, drive: Drive) -> None:
    props = "<d:resourcetype/><d:getcontentlength>5</d:getcontentlength><d:getetag>&quot;1&quot;</d:getetag>"
    found = f"<d:propstat><d:prop>{props}</d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat>"
    hrefs = [f"/remote.php/dav/files/marie/many/{number:05}.txt" for number in range(10_000)]
    body = "".join(f"<d:response><d:href>{href}</d:href>{found}</d:response>" for href in hrefs)
    cloud.before = lambda _method, _path: Response(f"<d:multistatus xmlns:d='DAV:'>{body}</d:multistatus>", 207)
    page = drive.list_folder("many")
    assert len(cloud.requests) == 1
    assert [one.name for one in page.entries][:2] == ["00000.txt", "00001.txt"] and len(page.entries) == 100
    second = drive.list_folder("many", page.cursor)
    assert [one.name for one in second.entries][0] == "00100.txt"
    third = drive.list_folder("many", second.cursor)
    assert (page.before, second.before, third.before) == ("", "", "100")
    assert len(cloud.requests) == 1  # what was read a moment ago is not read again
    assert drive.list_folder("many").entries[0].name == "00000.txt" and len(cloud.requests) == 2  # the first page always is


def test_what_is_kept_of_a_large_folder(cloud: Nextcloud, yann: User, settings: Settings) -> None:
    """For a minute, for one connection and its password, until something is put there."""
    for number in range(120):
        (cloud.files / f"{number:03}.txt").write_bytes(b"x")
    connection = connected(cloud, yann, settings)
    drive = open_drives.open_drive(connection, settings)
    assert drive.list_folder().cursor == "100"
    cloud.requests.clear()
    assert drive.list_folder("", "100").entries[0].name == "100.txt" and not cloud.requests
    put(drive, "000a.txt", b"more")
    cloud.requests.clear()
    assert drive.list_folder("", "100").entries[0].name == "099.txt" and len(cloud.requests) == 1
    drive.delete(drive.entry("000a.txt"))
    assert drive.list_folder("", "100").entries[0].name == "100.txt"
    cloud.requests.clear()
    again = connected(cloud, yann, settings)  # with a new password: the same row
    assert again.id == connection.id
    open_drives.open_drive(again, settings).list_folder("", "100")
    assert len(cloud.requests) == 1


def test_the_cache_of_folders_is_bounded() -> None:
    def whole(rows: int) -> WholeFolder:
        return WholeFolder([FolderRow(True, "a", "a", "1", "", "", "", "")] * rows, None, True, 0)

    cache = FolderCache(most_rows=1_000)
    for number in range(20):
        cache.put(("https://nuage.example/", number, 0, ""), whole(400))
    kept = [number for number in range(20) if cache.get(("https://nuage.example/", number, 0, ""))]
    assert kept == [18, 19]
    cache.put(("", 1, 0, "large"), whole(1_001))
    cache.put(("", 1, 0, "small"), whole(PAGE))
    assert cache.get(("", 1, 0, "large")) is None and cache.get(("", 1, 0, "small")) is None
    short = FolderCache(seconds=0.0)
    short.put(("", 1, 0, ""), whole(400))
    assert short.get(("", 1, 0, "")) is None


@pytest.mark.parametrize("path", ["../x", "a/../../x", "a//b", ".", "a/\0", "a\\..\\b", "x" * 3000])
def test_no_path_leads_out_of_the_drive(drive: Drive, cloud: Nextcloud, path: str) -> None:
    assert fault_of(lambda: drive.list_folder(path)) is DriveFault.GONE
    assert fault_of(lambda: drive.entry(path)) is DriveFault.GONE
    assert not cloud.requests


def test_entries_with_impossible_names_are_left_out(drive: Drive, cloud: Nextcloud) -> None:
    hrefs = ["..", "%2e%2e%2fetc", "a%2Fb", "%00", "a%0Ab", "%ff%fe", "../../other/x", "good.txt", "a/b", "//evil.example/x", ""]
    root = "/remote.php/dav/files/marie/"
    props = "<d:propstat><d:prop><d:resourcetype/></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat>"
    body = "".join(
        f"<d:response><d:href>{href if href.startswith('//') else root + href}</d:href>{props}</d:response>" for href in hrefs
    )
    cloud.before = lambda _method, _path: Response(f"<d:multistatus xmlns:d='DAV:'>{body}</d:multistatus>", 207)
    page = drive.list_folder()
    assert [one.id for one in page.entries] == ["good.txt"]
    assert page.hidden == len(hrefs) - 2


def test_hostile_answers_are_refused(drive: Drive, cloud: Nextcloud) -> None:
    entities = '<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">'
    bomb = f'<?xml version="1.0"?><!DOCTYPE x [{entities}]><d:multistatus xmlns:d="DAV:">&b;</d:multistatus>'

    def endless() -> Iterator[bytes]:
        yield b"<d:multistatus xmlns:d='DAV:'>"
        while True:
            yield b"<d:response><d:href>/x</d:href></d:response>" * 1000

    answers = {
        "bomb": (Response(bomb, 207), DriveFault.NOT_UNDERSTOOD),
        "ten gigabytes": (Response(iter([b"x"]), 207, {"Content-Length": "10000000000"}), DriveFault.TOO_MANY),
        "a page": (Response("<html>Welcome", 200), DriveFault.NOT_UNDERSTOOD),
        "deep": (Response("<a>" * 5000, 207), DriveFault.NOT_UNDERSTOOD),
        "endless": (Response(endless(), 207), DriveFault.TOO_MANY),
        "busy": (Response("", 429, {"Retry-After": "7"}), DriveFault.BUSY),
        "broken": (Response("", 500), DriveFault.AWAY),
    }
    for name, (answer, fault) in answers.items():
        cloud.before = lambda _method, _path, answer=answer: answer  # type: ignore[misc]
        assert fault_of(drive.list_folder) is fault, name


def test_redirects_go_nowhere_else(drive: Drive, cloud: Nextcloud, settings: Settings, yann: User) -> None:
    for there in (
        "http://169.254.169.254/latest/",
        "https://evil.example/",
        "http://127.0.0.1:1/",
        "file:///etc/passwd",
        "//evil.example/x",
    ):
        cloud.before = lambda _method, _path, there=there: Response("", 302, {"Location": there})  # type: ignore[misc]
        assert fault_of(drive.list_folder) is DriveFault.ELSEWHERE, there
    cloud.before = lambda _method, path: Response("", 302, {"Location": path})
    assert fault_of(drive.list_folder) is DriveFault.NOT_UNDERSTOOD
    cloud.before = lambda _method, path: Response("", 308, {"Location": path + "/"}) if not path.endswith("//") else None
    assert fault_of(lambda: put(drive, "a.txt", b"a")) is DriveFault.ELSEWHERE
    assert not [path for method, path in cloud.requests if method == "PUT" and path.endswith("//")]


def test_a_private_network_is_not_asked(plain: Nextcloud, yann: User, settings: Settings, tmp_path) -> None:  # type: ignore[no-untyped-def]
    from dataclasses import replace

    closed = replace(settings, service_networks="")
    drive = open_drives.open_drive(connected(plain, yann, closed), closed)
    assert fault_of(drive.list_folder) is DriveFault.FORBIDDEN_PLACE
    assert not plain.requests


def test_a_password_that_holds_no_more(drive: Drive, cloud: Nextcloud) -> None:
    cloud.password = "another"
    assert fault_of(drive.list_folder) is DriveFault.SIGN_IN


def test_search_by_a_nextcloud(drive: Drive, cloud: Nextcloud) -> None:
    (cloud.files / "Deep").mkdir()
    (cloud.files / "Deep" / "Budget 100%.ods").write_bytes(b"x")
    (cloud.files / "Budget 1000.ods").write_bytes(b"x")
    assert [one.id for one in drive.search("100%").entries] == ["Deep/Budget 100%.ods"]
    assert not drive.search("</D:literal>").entries


def test_a_search_is_scoped_to_a_name_with_signs(cloud: Nextcloud, yann: User, settings: Settings) -> None:
    """A Nextcloud reads a scope that is no whole address as it stands."""
    asked = list[bytes]()
    drive = NextcloudDrive(f"{cloud.url}/remote.php/dav/files/m%40e%26/", cloud.url, "m%40e%26", Asked(asked))  # type: ignore[arg-type]
    drive.search("x")
    assert b"<D:href>/files/m@e&amp;</D:href>" in asked[0]


@pytest.mark.parametrize("number", [3, 150, 250])
def test_another_server_searches_where_it_says_so(plain: Nextcloud, yann: User, settings: Settings, number: int) -> None:
    plain.searches = True
    account = nextcloud_sign_in.account_at(plain.root, LOGIN, PASSWORD, settings)
    assert account.abilities == "files search"
    connection = connected(plain, yann, settings, account.abilities)
    drive = open_drives.open_drive(connection, settings)
    assert drive.abilities.search
    (plain.files / "Été").mkdir()
    for one in range(number):
        (plain.files / "Été" / f"Plan {one:03}.txt").write_bytes(b"x")
    (plain.files / "notes.txt").write_bytes(b"x")
    page, found = drive.search("plan"), list[str]()
    while True:
        found += [one.name for one in page.entries]
        if not page.cursor:
            break
        page = drive.search("plan", page.cursor)
    assert len(found) == len(set(found)) == number


def test_where_nothing_is_said_of_searching_it_is_not_offered(plain: Nextcloud, plain_drive: Drive, settings: Settings) -> None:
    assert nextcloud_sign_in.account_at(plain.root, LOGIN, PASSWORD, settings).abilities == "files"
    assert not plain_drive.abilities.search
    assert fault_of(lambda: plain_drive.search("x")) is DriveFault.REFUSED
    plain.before = lambda method, _path: Response("", 405) if method == "OPTIONS" else None
    assert nextcloud_sign_in.account_at(plain.root, LOGIN, PASSWORD, settings).abilities == "files"


def test_a_search_that_is_cut_short_or_no_answer(plain: Nextcloud, yann: User, settings: Settings) -> None:
    drive = open_drives.open_drive(connected(plain, yann, settings, "files search"), settings)
    found = (
        "<D:propstat><D:prop><D:getcontentlength>1</D:getcontentlength></D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat>"
    )
    cut = "<D:response><D:href>/dav/</D:href><D:status>HTTP/1.1 507 Insufficient Storage</D:status></D:response>"
    body = f"<D:multistatus xmlns:D='DAV:'><D:response><D:href>/dav/a.txt</D:href>{found}</D:response>{cut}</D:multistatus>"
    plain.before = lambda _method, _path: Response(body, 207)
    page = drive.search("a")
    assert [one.id for one in page.entries] == ["a.txt"] and not page.hidden
    plain.before = lambda _method, _path: Response("<html>", 200)
    assert fault_of(lambda: drive.search("a")) is DriveFault.NOT_UNDERSTOOD
    plain.before = lambda _method, _path: Response("", 422)
    assert fault_of(lambda: drive.search("a")) is DriveFault.REFUSED


# --- download --------------------------------------------------------------------------------------------------------


def test_a_download_goes_on_where_it_was(both: tuple[Nextcloud, Drive]) -> None:
    server, drive = both
    content = os.urandom(1_000_000)
    (server.files / "film.mp4").write_bytes(content)
    entry = drive.entry("film.mp4")
    for server.ranges in (True, False):
        for start in (0, 400_001, 1_000_000):
            with drive.download(entry, start) as pieces:
                assert b"".join(pieces) == content[start:], (server.ranges, start)


def test_a_file_that_changed_is_not_glued_to_the_old_one(drive: Drive, cloud: Nextcloud) -> None:
    (cloud.files / "notes.txt").write_bytes(b"old old old")
    entry = drive.entry("notes.txt")
    (cloud.files / "notes.txt").write_bytes(b"new and longer")
    with pytest.raises(DriveError) as caught, drive.download(entry, 4):
        pass
    assert caught.value.fault is DriveFault.CHANGED


def test_a_download_that_is_cut_or_endless(drive: Drive, cloud: Nextcloud) -> None:
    (cloud.files / "notes.txt").write_bytes(b"0123456789")
    entry = drive.entry("notes.txt")

    def fault(answer: Response) -> DriveFault:
        cloud.before = lambda _method, _path: answer
        with pytest.raises(DriveError) as caught, drive.download(entry) as pieces:
            list(pieces)
        return caught.value.fault

    assert fault(Response(iter([b"0123"]), 200)) is DriveFault.AWAY
    assert fault(Response(iter([b"0" * 1000] * 100_000), 200)) in (DriveFault.CHANGED, DriveFault.TOO_MANY)
    assert fault(Response(iter([b"0"]), 200, {"Content-Length": "10000000000"})) is DriveFault.TOO_MANY


# --- upload ----------------------------------------------------------------------------------------------------------


def test_a_file_is_put_there_and_nothing_is_replaced(both: tuple[Nextcloud, Drive]) -> None:
    server, drive = both
    (server.files / "Mail").mkdir()
    assert put(drive, "plan.pdf", b"one", "Mail") == "Mail/plan.pdf"
    assert put(drive, "plan.pdf", b"two", "Mail") == "Mail/plan (2).pdf"
    assert fault_of(lambda: put(drive, "plan.pdf", b"3", "Mail", NameClash.REFUSE)) is DriveFault.NAME_TAKEN
    assert fault_of(lambda: put(drive, "..", b"3", "Mail")) is DriveFault.BAD_NAME
    found = {one.name: one.read_bytes() for one in (server.files / "Mail").iterdir() if not one.name.startswith(".")}
    assert found == {"plan.pdf": b"one", "plan (2).pdf": b"two"}


def test_an_upload_is_killed_at_each_of_its_steps(both: tuple[Nextcloud, Drive]) -> None:
    """Wherever it ends, it goes on, and there is one whole file and nothing besides."""
    server, drive = both
    content = os.urandom(2 * PIECE + 12_345)
    order = UploadOrder("", "film.mp4", len(content))
    steps = Kept()
    drive.upload(order, reading(content), {}, steps)
    (server.files / "film.mp4").unlink()
    for kill in range(1, len(steps.sent) + 1):
        kept = Kept(kill)
        with pytest.raises(Killed):
            drive.upload(order, reading(content), kept.state, kept)
        again = Kept()
        again.state = kept.state
        assert drive.upload(order, reading(content), kept.state, again).id == "film.mp4"
        assert [one.name for one in server.files.iterdir()] == ["film.mp4"], kill
        assert (server.files / "film.mp4").read_bytes() == content
        assert not list(server.uploads.iterdir())
        (server.files / "film.mp4").unlink()


def test_a_nextcloud_gets_only_the_pieces_it_lacks(cloud: Nextcloud, drive: Drive) -> None:
    content = os.urandom(3 * PIECE)
    kept = Kept(kill=3)  # after the second piece
    with pytest.raises(Killed):
        drive.upload(UploadOrder("", "film.mp4", len(content)), reading(content), {}, kept)
    cloud.requests.clear()
    drive.upload(UploadOrder("", "film.mp4", len(content)), reading(content), kept.state, Kept())
    assert [path.rpartition("/")[2] for method, path in cloud.requests if method == "PUT"] == ["00003"]
    assert (cloud.files / "film.mp4").read_bytes() == content


def test_a_file_of_the_same_name_is_never_written_over(cloud: Nextcloud, drive: Drive) -> None:
    """On an object store a Nextcloud writes pieces into the file that they are said to become, if there is one."""
    cloud.object_store = True
    (cloud.files / "film.mp4").write_bytes(b"of before")
    content = os.urandom(2 * PIECE + 5)
    kept = Kept(kill=3)
    with pytest.raises(Killed):
        drive.upload(UploadOrder("", "film.mp4", len(content)), reading(content), {}, kept)
    cloud.requests.clear()
    assert drive.upload(UploadOrder("", "film.mp4", len(content)), reading(content), kept.state, Kept()).id == "film (2).mp4"
    assert [path.rpartition("/")[2] for method, path in cloud.requests if method == "PUT"] == ["00003"]
    assert (cloud.files / "film.mp4").read_bytes() == b"of before" and not cloud.overwritten
    assert (cloud.files / "film (2).mp4").read_bytes() == content and len(list(cloud.files.iterdir())) == 2


def test_a_file_of_more_pieces_than_a_nextcloud_takes(cloud: Nextcloud, drive: Drive) -> None:
    order = UploadOrder("", "film.mp4", 10_000 * PIECE + 1)
    assert fault_of(lambda: drive.upload(order, lambda _start: iter(()), {}, Kept())) is DriveFault.TOO_LARGE
    assert not cloud.requests


def test_a_move_whose_answer_was_lost(both: tuple[Nextcloud, Drive]) -> None:
    server, drive = both
    content, lost = b"a" * 1000, []

    def before(method: str, path: str) -> Response | None:
        if method == "MOVE" and not lost:
            lost.append(path)
            (server.files / path.rpartition("/")[2]).rename(server.files / "a.txt")
            return Response("", 502)
        return None

    server.before = before
    kept = Kept()
    order = UploadOrder("", "a.txt", len(content))
    assert fault_of(lambda: drive.upload(order, reading(content), {}, kept)) is DriveFault.AWAY
    assert drive.upload(order, reading(content), kept.state, Kept()).id == "a.txt"
    assert [one.name for one in server.files.iterdir()] == ["a.txt"]


def test_no_space_there(both: tuple[Nextcloud, Drive]) -> None:
    server, drive = both
    server.free = 10
    assert fault_of(lambda: put(drive, "a.txt", b"a" * 1000)) is DriveFault.FULL
    assert drive.space().free == 10


def test_what_was_begun_is_taken_back(both: tuple[Nextcloud, Drive]) -> None:
    server, drive = both
    content = os.urandom(2 * PIECE)
    kept = Kept(kill=2)
    with pytest.raises(Killed):
        drive.upload(UploadOrder("", "film.mp4", len(content)), reading(content), {}, kept)
    drive.abandon(kept.state)
    drive.abandon(kept.state)
    assert not list(server.files.iterdir()) and not list(server.uploads.iterdir())


def test_an_upload_is_undone_unless_it_was_changed(both: tuple[Nextcloud, Drive]) -> None:
    server, drive = both
    put(drive, "a.txt", b"a")
    entry = drive.entry("a.txt")
    (server.files / "a.txt").write_bytes(b"somebody wrote more")
    assert fault_of(lambda: drive.delete(entry)) is DriveFault.CHANGED
    drive.delete(drive.entry("a.txt"))
    drive.delete(entry)
    assert not list(server.files.iterdir())


def test_a_weak_tag_is_no_condition(plain: Nextcloud, plain_drive: Drive, monkeypatch: pytest.MonkeyPatch) -> None:
    """Apache's is weak in the first second of a file, and a server never finds that a weak one matches."""
    strong = fake_nextcloud._etag
    monkeypatch.setattr(fake_nextcloud, "_etag", lambda target: f"W/{strong(target)}")
    put(plain_drive, "a.txt", b"a")
    plain_drive.delete(plain_drive.entry("a.txt"))
    assert not list(plain.files.iterdir())


# --- links -----------------------------------------------------------------------------------------------------------


def test_a_link_is_made_once_and_taken_back(drive: Drive, cloud: Nextcloud) -> None:
    (cloud.files / "a b.txt").write_bytes(b"a")
    entry = drive.entry("a b.txt")
    link = drive.make_link(entry, LinkOrder())
    again = drive.make_link(entry, LinkOrder())
    assert again.url == link.url and not again.id and link.url.startswith(f"{cloud.url}/s/")
    assert cloud.shares[1]["path"] == "/a b.txt"
    assert drive.make_link(entry, LinkOrder(password="a long one")).has_password
    drive.remove_link(link)
    drive.remove_link(link)
    assert list(cloud.shares) == [2]


def test_what_a_nextcloud_demands_of_links(drive: Drive, cloud: Nextcloud) -> None:
    (cloud.files / "a.txt").write_bytes(b"a")
    cloud.public = {
        "enabled": True,
        "password": {"enforced": True},
        "expire_date": {"enabled": True, "days": "7", "enforced": True},
    }
    rules = drive.link_rules()
    assert rules.needs_password and rules.latest is not None
    assert fault_of(lambda: drive.make_link(drive.entry("a.txt"), LinkOrder())) is DriveFault.LINK_REFUSED
    link = drive.make_link(drive.entry("a.txt"), LinkOrder(password="a long one", expires=rules.latest))
    assert link.has_password and link.expires == rules.latest
    cloud.public = {"enabled": False}
    assert not drive.link_rules().rights


def test_a_link_to_nowhere_is_none(drive: Drive, cloud: Nextcloud) -> None:
    (cloud.files / "a.txt").write_bytes(b"a")
    entry = drive.entry("a.txt")
    said = '{"ocs":{"meta":{"statuscode":200},"data":{"id":"1","url":"javascript:alert(1)","permissions":1}}}'
    cloud.before = lambda method, _path: Response(said) if method == "POST" else None
    assert fault_of(lambda: drive.make_link(entry, LinkOrder(password="x"))) is DriveFault.NOT_UNDERSTOOD


def test_names() -> None:
    assert numbered_name("report.pdf", 2) == "report (2).pdf"
    assert numbered_name("README", 3) == "README (3)"
    assert numbered_name(".bashrc", 2) == ".bashrc (2)"
    assert len(numbered_name("x" * 200 + ".pdf", 10)) <= 200
    assert paths.cloud_of("https://nuage.example/cloud/remote.php/dav/files/m%40e/") == ("https://nuage.example/cloud", "m%40e")
    assert paths.cloud_of("https://dav.example/files/") is None
