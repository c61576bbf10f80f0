"""The examples of the page `/api`, run as people would: by curl and Python, against the server that runs in production."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.support import auth_app, tokens
from tests.support.transfer_web import TransferWeb
from tests.support.waiting import eventually
from webmail.api import examples
from webmail.auth.devices import app_passwords
from webmail.database.connection import db, open_database
from webmail.models import FileRequest, Outbox, StoredContent, Transfer, TransferFile, TransferState, User
from webmail.transfers import store

MAIL = {"system_address": "info@lycee.example"}


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TransferWeb]:
    folder, before = tmp_path_factory.mktemp("scripts"), db.obj
    made = TransferWeb(
        folder / "instance", "erin", api=True, token_key_file=tokens.key_file(folder), transfers={"reserve_mb": 0}, **MAIL
    )
    config = made.folder / "config.toml"
    config.write_text(f'public_url = "{made.address}"\n{config.read_text()}')
    if before is not None:
        db.initialize(before)  # other files of this process have their own
    made.start()
    yield made
    made.stop()


@contextmanager
def tables(web: TransferWeb) -> Iterator[None]:
    before = db.obj
    open_database(web.settings.database_url)
    try:
        with db.connection_context():
            yield
    finally:
        db.obj.close()
        if before is not None:
            db.initialize(before)


@pytest.fixture
def password(web: TransferWeb) -> str:
    with tables(web):
        return app_passwords.add(User.get(User.local == "erin"), "example", ("api",))[0]


def run(folder: Path, *words: str, **environment: str) -> str:
    given = {**os.environ, "HOME": str(folder), **environment}
    done = subprocess.run(words, cwd=folder, env=given, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_curl(web: TransferWeb, password: str, tmp_path: Path) -> None:
    keys = tmp_path / ".traboule"
    keys.write_text(f"machine 127.0.0.1 login erin@lycee.example password {'-'.join(app_passwords.groups(password))}\n")
    (tmp_path / "photos.zip").write_bytes(data := os.urandom(100_000))
    (tmp_path / "more.zip").write_bytes(os.urandom(1000))
    (tmp_path / "example.sh").write_text(examples.for_host("curl", web.address))
    told = run(tmp_path, "sh", "-eu", "example.sh")
    assert '"address": "erin@lycee.example"' in told and '"state": "waiting"' in told and '"busy"' in told
    with tables(web):
        transfer = Transfer.get(Transfer.subject == "Photos")
        of_it = (TransferFile.transfer == transfer) & (TransferFile.path == "photos.zip")
        content = StoredContent.select().join(TransferFile).where(of_it).get()
        assert (transfer.state, content.sha256) == (TransferState.READY, hashlib.sha256(data).hexdigest())
        assert Outbox.select().where(Outbox.subject == "Backup").count() == 1
        assert [one.path for one in store.files(transfer)] == ["photos.zip", "more.zip"]
        changed = FileRequest.get(FileRequest.title == "Measures of the week")
        assert changed.most_files == 7


def test_python_goes_on_after_the_server_was_killed(web: TransferWeb, password: str, tmp_path: Path) -> None:
    """At whichever byte: what came is kept, and the rest follows."""
    file, script = tmp_path / "film.mp4", tmp_path / "example.py"
    file.write_bytes(data := os.urandom(24 * 1024 * 1024))
    script.write_text(examples.for_host("python", web.address).replace("8 * 1024 * 1024", "1024 * 1024"))
    with tables(web):
        before = Outbox.select().where(Outbox.subject == "Sent").count()
    words = [sys.executable, str(script), str(file)]
    environment = {**os.environ, "TRABOULE_PASSWORD": password}
    with subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as going:
        for least in (2, 9):
            with tables(web):
                eventually(lambda least=least: _received("film.mp4") >= least * 1024 * 1024)
            web.kill()
            web.start()
        told, _none = going.communicate(timeout=120)
    assert going.returncode == 0, told
    with tables(web):
        content = StoredContent.select().join(TransferFile).where(TransferFile.path == "film.mp4").get()
        assert content.sha256 == hashlib.sha256(data).hexdigest()
        assert Outbox.select().where(Outbox.subject == "Sent").count() == before + 1


def test_python_downloads_what_guests_sent_and_goes_on_after_the_server_was_killed(
    web: TransferWeb, password: str, tmp_path: Path
) -> None:
    data = os.urandom(40 * 1024 * 1024)
    sign_in = {"Authorization": f"Bearer {password}"}
    with httpx.Client(base_url=f"{web.address}/api/v1", timeout=60) as client:
        request = client.post("/requests", json={"title": "Films", "asks_name": False}, headers=sign_in).json()
        own = client.post(f"/guests/{request['link'].rpartition('/')[2]}/transfers", json={}).json()["link"]
        for name, content in (("film.mp4", data), ("Notes/empty.txt", b""), ("Notes/a b.txt", b"1")):
            assert client.put(f"/guests/{own}/files/{name}", content=content).status_code == 201
        assert client.post(f"/guests/{own}/send", json={}).status_code == 200
        [number] = client.get(f"/requests/{request['number']}", headers=sign_in).json()["transfers"]
    script, folder = tmp_path / "example.py", tmp_path / "came"
    slow = examples.for_host("received", web.address).replace(
        "out.write(piece)", "out.write(piece), out.flush(), time.sleep(0.05)"
    )
    script.write_text(slow)
    words = [sys.executable, str(script), str(request["number"]), str(folder)]
    environment = {**os.environ, "TRABOULE_PASSWORD": password}
    with subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as going:
        part = folder / str(number) / "film.mp4.part"
        for least in (4, 14):
            eventually(lambda least=least: part.exists() and part.stat().st_size >= least * 1024 * 1024)
            web.kill()
            web.start()
        told, _none = going.communicate(timeout=120)
    assert going.returncode == 0, told
    came = {str(one.relative_to(folder / str(number))): one.read_bytes() for one in folder.rglob("*") if one.is_file()}
    assert came == {"film.mp4": data, "Notes/empty.txt": b"", "Notes/a b.txt": b"1"}
    with httpx.Client(base_url=f"{web.address}/api/v1", headers=sign_in, timeout=60) as client:
        files = client.get(f"/transfers/{number}").json()["files"]
    assert {one["name"]: one["downloads"] for one in files}["film.mp4"] == 1


def _received(path: str) -> int:
    found = StoredContent.select().join(TransferFile).where(TransferFile.path == path).first()
    return int(found.received) if found is not None else 0


def test_a_guest_needs_no_password(web: TransferWeb, password: str, tmp_path: Path) -> None:
    with httpx.Client(base_url=f"{web.address}/api/v1", headers={"Authorization": f"Bearer {password}"}, timeout=30) as client:
        asked = client.post("/requests", json={"title": "Measures"}).json()
        (tmp_path / "measures.csv").write_text("1;2\n")
        (tmp_path / "example.sh").write_text(examples.for_host("guest", web.address))
        run(tmp_path, "sh", "-eu", "example.sh", LINK=asked["link"].rpartition("/")[2])
        [number] = client.get(f"/requests/{asked['number']}").json()["transfers"]
        came = client.get(f"/transfers/{number}").json()
    assert came["from_guest"]["name"] == "Weather station" and [one["name"] for one in came["files"]] == ["measures.csv"]
    assert auth_app.PASSWORD not in str(came)
