"""Drives on WebDAV servers that others made, each of which answers in its own way: looked through, down, up, killed, undone."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support import webdav_servers
from tests.support.webdav_servers import LOGIN, PASSWORD, WebDavServer
from tests.unit.conftest import opened_database
from webmail.config.settings import Settings, load
from webmail.drives import open_drives
from webmail.drives.drive import Drive, DriveError, DriveFault, NameClash, State, UploadOrder
from webmail.models import User
from webmail.services import connections, nextcloud_sign_in, providers
from webmail.services.nextcloud_sign_in import ServerSignInError, SignInTrouble

NAME = "plan n° 1 & co #2 100% d’été.pdf"
MB = 1_000_000


class KilledError(Exception):
    """The worker ends here."""


@pytest.fixture(scope="module", params=webdav_servers.KINDS)
def server(request: pytest.FixtureRequest) -> Iterator[WebDavServer]:
    if not webdav_servers.is_here(request.param):
        pytest.skip(f"there is no {request.param} here")
    with tempfile.TemporaryDirectory() as folder, webdav_servers.running(request.param, Path(folder)) as made:
        yield made


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load(tmp_path / "instance", services="nextcloud", service_networks="127.0.0.0/8")


@pytest.fixture
def drive(server: WebDavServer, tmp_path: Path, settings: Settings) -> Iterator[Drive]:
    """With one folder, "Été 2026"."""
    for _name in opened_database("sqlite", tmp_path):
        user = User.create(address="yann@lycee.example", local="yann", domain="lycee.example")
        account = nextcloud_sign_in.account_at(server.root, LOGIN, PASSWORD, settings)
        provider = providers.find("nextcloud", settings)
        assert provider is not None
        row, _new = connections.make(
            user, provider, login=LOGIN, secret={"password": PASSWORD}, settings=settings, address=account.address,
            scopes=account.abilities,
        )  # fmt: skip
        (server.files / "Été 2026").mkdir(exist_ok=True)
        (server.files / "Été 2026").chmod(0o777)
        yield open_drives.open_drive(row, settings)
        for left in sorted(server.files.rglob("*"), reverse=True):
            left.unlink() if left.is_file() else left.rmdir()


def reading(content: bytes) -> Callable[[int], Iterator[bytes]]:
    return lambda start: iter([content[at : at + 300_000] for at in range(start, len(content), 300_000)])


def put(drive: Drive, folder: str, content: bytes, **more: NameClash) -> str:
    return drive.upload(UploadOrder(folder, NAME, len(content), **more), reading(content), {}, lambda _state, _sent: None).id


def whole(drive: Drive, path: str, start: int = 0) -> bytes:
    with drive.download(drive.entry(path), start) as pieces:
        return b"".join(pieces)


def test_a_wrong_password_is_told_from_a_wrong_address(server: WebDavServer, settings: Settings) -> None:
    for address, password, trouble in (
        (server.root, "no", SignInTrouble.PASSWORD),
        (f"{server.root}nothing/", PASSWORD, SignInTrouble.NOT_WEBDAV),
    ):
        with pytest.raises(ServerSignInError) as caught:
            nextcloud_sign_in.account_at(address, LOGIN, password, settings)
        assert caught.value.trouble is trouble


def test_none_of_these_servers_searches_and_so_none_is_searched(drive: Drive) -> None:
    assert not drive.abilities.search


@pytest.mark.parametrize("folder", ["", "Été 2026"])
def test_files_go_there_and_back(server: WebDavServer, drive: Drive, folder: str) -> None:
    content = os.urandom(MB + 3)
    path = f"{folder}/{NAME}".lstrip("/")
    assert put(drive, folder, content) == path
    [entry] = [one for one in drive.list_folder(folder).entries if not one.is_folder]
    assert (entry.id, entry.name, entry.size) == (path, NAME, len(content))
    assert (server.files / path).read_bytes() == content
    for start in (0, 400_001, len(content)):
        assert whole(drive, path, start) == content[start:]


def test_nothing_is_replaced(server: WebDavServer, drive: Drive) -> None:
    assert put(drive, "", b"one") == NAME
    second = put(drive, "", b"two")
    assert second == NAME.replace(".pdf", " (2).pdf")
    state: State = {}
    order = UploadOrder("", NAME, 5, clash=NameClash.REFUSE)
    with pytest.raises(DriveError) as caught:
        drive.upload(order, reading(b"three"), {}, lambda now, _sent: state.update(now))
    assert caught.value.fault is DriveFault.NAME_TAKEN
    drive.abandon(state)
    found = {one.name: one.read_bytes() for one in server.files.iterdir() if one.is_file()}
    assert found == {NAME: b"one", second: b"two"}


def test_an_upload_that_was_killed_goes_on(server: WebDavServer, drive: Drive) -> None:
    """Before its file is moved to its name, and after that was done."""
    content = os.urandom(MB)
    steps = list[int]()
    drive.upload(UploadOrder("", "all.bin", len(content)), reading(content), {}, lambda _state, sent: steps.append(sent))
    for kill in range(1, len(steps) + 1):
        state: State = {}
        left = [kill]

        def save(now: State, _sent: int, state: State = state, left: list[int] = left) -> None:
            state.update(now)
            left[0] -= 1
            if not left[0]:
                raise KilledError

        order = UploadOrder("Été 2026", f"{kill}.bin", len(content))
        with pytest.raises(KilledError):
            drive.upload(order, reading(content), {}, save)
        assert drive.upload(order, reading(content), state, lambda _state, _sent: None).name == f"{kill}.bin"
    found = {one.name: one.read_bytes() == content for one in (server.files / "Été 2026").iterdir()}
    assert found == {f"{kill}.bin": True for kill in range(1, len(steps) + 1)}


def test_what_was_saved_is_undone_at_once(server: WebDavServer, drive: Drive) -> None:
    put(drive, "", b"one")
    entry = drive.entry(NAME)
    drive.delete(entry)
    drive.delete(entry)
    assert not [one for one in server.files.iterdir() if one.is_file()]


def test_an_empty_file_and_what_is_not_there(drive: Drive) -> None:
    assert put(drive, "", b"") == NAME
    assert drive.entry(NAME).size == 0 and whole(drive, NAME) == b""
    for ask in (
        lambda: drive.list_folder("nothing"),
        lambda: drive.entry("nothing.txt"),
        lambda: drive.list_folder("Été 2026/x"),
    ):
        with pytest.raises(DriveError) as caught:
            ask()
        assert caught.value.fault is DriveFault.GONE
    with pytest.raises(DriveError) as caught:
        put(drive, "nothing", b"x")
    assert caught.value.fault in (DriveFault.GONE, DriveFault.REFUSED)


def test_a_hundred_megabytes(server: WebDavServer, drive: Drive) -> None:
    piece, size = os.urandom(MB), 100 * MB

    def pieces(start: int) -> Iterator[bytes]:
        assert start == 0
        for _number in range(100):
            yield piece

    entry = drive.upload(UploadOrder("", "film.mp4", size), pieces, {}, lambda _state, _sent: None)
    assert entry.size == size == (server.files / "film.mp4").stat().st_size
    wanted, found = hashlib.sha256(), hashlib.sha256()
    for _number in range(100):
        wanted.update(piece)
    with drive.download(entry) as received:
        for one in received:
            found.update(one)
    assert found.digest() == wanted.digest()
