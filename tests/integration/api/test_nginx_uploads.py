"""The documented curl and the page's Python through a real nginx with deploy/nginx.conf: what is large, and what goes on after a break."""

from __future__ import annotations

import hashlib
import os
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from deploy.demo import accounts, nginx
from deploy.demo.services import Services
from tests.support.front import Front, is_up, kill
from tests.support.waiting import eventually
from webmail.api import examples
from webmail.auth.devices import app_passwords
from webmail.models import StoredContent, Transfer, TransferFile, User

pytestmark = pytest.mark.skipif(nginx.program() is None, reason="the package nginx is not installed")
ALICE = "alice@lycee.example"
MB = 1024 * 1024


@pytest.fixture(scope="module")
def own_services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    base = tmp_path_factory.mktemp("scripts-front") / "demo"
    with Services(base, web=False) as services:
        yield services
    shutil.rmtree(base.resolve())


@pytest.fixture(scope="module")
def front(own_services: Services) -> Iterator[Front]:
    with Front(own_services, webs=1, workers=0) as running:
        yield running


@pytest.fixture
def password(own_services: Services) -> str:
    with accounts.tables(own_services.database):
        return app_passwords.add(User.get(User.address == ALICE), "example", ("api",))[0]


def test_the_documented_curl_sends_large_files_through_nginx(
    front: Front, own_services: Services, password: str, tmp_path: Path
) -> None:
    keys = tmp_path / ".traboule"
    keys.write_text(f"machine 127.0.0.1 login {ALICE} password {password}\n")
    with (tmp_path / "photos.zip").open("wb") as file:  # more than forms may be, which nginx refuses above client_max_body_size
        for _ in range(60):
            file.write(os.urandom(MB))
    (tmp_path / "more.zip").write_bytes(os.urandom(1000))
    (tmp_path / "example.sh").write_text(examples.for_host("curl", front.address))
    given = {**os.environ, "HOME": str(tmp_path), "CURL_CA_BUNDLE": str(front.ca)}
    done = subprocess.run(
        ["sh", "-eu", "example.sh"], cwd=tmp_path, env=given, capture_output=True, text=True, timeout=180, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    digest = hashlib.sha256((tmp_path / "photos.zip").read_bytes()).hexdigest()
    with accounts.tables(own_services.database):
        transfer = Transfer.get(Transfer.subject == "Photos")
        files = TransferFile.select(TransferFile, StoredContent).join(StoredContent).where(TransferFile.transfer == transfer)
        found = {one.path: one.content.sha256 for one in files}
    assert found["photos.zip"] == digest and set(found) == {"photos.zip", "more.zip"}


def test_a_download_goes_on_through_nginx_after_the_service_was_killed(front: Front, password: str) -> None:
    data = os.urandom(30 * MB)
    sign_in = {"Authorization": f"Bearer {password}"}
    with httpx.Client(
        base_url=f"{front.address}/api/v1", verify=ssl.create_default_context(cafile=str(front.ca)), timeout=60
    ) as client:
        request = client.post("/requests", json={"title": "Films", "asks_name": False}, headers=sign_in).json()
        own = client.post(f"/guests/{request['link'].rpartition('/')[2]}/transfers", json={}).json()["link"]
        upload = client.put(f"/guests/{own}/files/film.mp4", content=data).json()["upload"]
        assert client.post(f"/guests/{own}/send", json={}).status_code == 200
        [number] = client.get(f"/requests/{request['number']}", headers=sign_in).json()["transfers"]
        path, came = f"/transfers/{number}/uploads/{upload}", b""
        assert front.bodies is not None
        with pytest.raises(httpx.HTTPError), client.stream("GET", path, headers=sign_in) as answer:
            for piece in answer.iter_bytes(MB):
                came += piece
                if len(came) >= 4 * MB and front.bodies.process.poll() is None:
                    kill(front.bodies)
        assert 4 * MB <= len(came) < len(data) and data.startswith(came)
        front.bodies = front.start_bodies()
        front.bodies.wait_for(is_up, 60)
        answers: list[httpx.Response] = []

        def answered() -> bool:
            answers.append(client.get(path, headers={**sign_in, "Range": f"bytes={len(came)}-"}))
            return answers[-1].status_code == 206

        eventually(answered)
    assert came + answers[-1].content == data
