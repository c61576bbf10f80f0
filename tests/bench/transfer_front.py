"""Large files as administrators run Traboule: nginx with deploy/nginx.conf, one web service of two processes with 32 threads each.

`python -m tests.bench.transfers front [SECONDS]` (20): twenty uploads, six downloads and pages of mail at once; then a class: 35 guests from
one address send homework into one request at the same moment, by forms without scripts, small and large, and as our script sends.
Fails where a page of mail takes more than twice its time, an upload stands still for good, or somebody of the class can't send.
"""

from __future__ import annotations

import base64
import os
import random
import re
import ssl
import statistics
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias
from urllib.parse import urlsplit

import httpx

from deploy.demo import accounts
from deploy.demo.services import Services
from tests.bench import fill
from tests.bench.transfer_crowd import MB, MOST, PIECE, SIZE, Upload, arrivals_of, percentile, sending, tell, watching
from tests.support.front import Front
from tests.support.http_visits import HttpVisitor
from tests.support.passing_folder import passing_folder
from tests.support.transfer_ground import form_body, published
from webmail.config import settings as config
from webmail.config.settings import Settings
from webmail.models import User
from webmail.transfers import store
from webmail.transfers.requests import requests
from webmail.transfers.requests.requests import Wishes

UPLOADS, DOWNLOADS, GUESTS = 20, 6, 35
_PATIENCE = 120.0  # seconds in which a class is through
Way: TypeAlias = Callable[[httpx.Client, str, int, bytes, Counter[str], float], None]


def run(seconds: int = 20) -> bool:
    with (
        passing_folder() as folder,
        Services(folder / "demo", web=False) as services,
        Front(services, webs=1, workers=1, processes=2, threads=32) as front,
    ):
        good = _crowd(services, front, seconds)
        good = _classes(services, front) and good
        return _logs(front) and good


def _logs(front: Front) -> bool:
    """Whether nothing went wrong inside; prints what did."""
    web = [line for file in front.folder.glob("web-*.log") for line in file.read_text().splitlines() if "ERROR" in line]
    proxy = front.folder.joinpath("error.log").read_text().splitlines()
    told = Counter(re.sub(r"[0-9a-f]{8,}|\d+", "N", line)[:160] for line in [*web, *proxy])
    for line, count in told.most_common(10):
        print(f"  {count} times: {line}")
    return not web


# --- twenty uploads, downloads, pages ------------------------------------------------------------------------------------


def _crowd(services: Services, front: Front, seconds: int) -> bool:
    reader_name = f"lit{random.randrange(10**6)}@lycee.example"
    services.add_account(reader_name, "Lectrice", 10**9)
    local, _at, domain = reader_name.partition("@")
    fill.write(services.owner, services.base / "mail" / domain / local / "Maildir", reader_name, 300)
    reader = front.visitor(reader_name).sign_in()
    people = [_Person(services, front) for _each in range(UPLOADS)]
    place = _download(services, front, reader_name)
    good = True
    for name, piece in (("pieces of 8 MiB with a checksum", PIECE), ("one PATCH each", SIZE)):
        before = _times(reader, 40)
        uploads = [Upload(front.port, one.begin(SIZE), one.headers, piece, piece < SIZE, front.ca) for one in people]
        arrivals = arrivals_of(services, uploads)
        with _downloading(place, front.ca) as fetched, sending(uploads, seconds) as answers, watching(arrivals):
            during = _times(reader, 10**6, seconds)
        ratio = statistics.median(during) / statistics.median(before)
        print(
            f"{UPLOADS} uploads and {DOWNLOADS} downloads through nginx, {name}: a page of mail takes {ratio:.2f} times as long "
            f"(median {statistics.median(before):.0f} and {statistics.median(during):.0f} ms, 95% within {percentile(before):.0f} and "
            f"{percentile(during):.0f} ms); downloads: {dict(fetched)}"
        )
        tell(arrivals, seconds, answers)
        good = good and ratio <= MOST and all(one.size for one in arrivals)
    return good


class _Person:
    """Somebody who is signed in and sends by tus."""

    def __init__(self, services: Services, front: Front) -> None:
        services.add_account(address := f"fichiers{random.randrange(10**9)}@lycee.example", "Fichiers", 10**8)
        self.visitor = front.visitor(address).sign_in()
        page = self.visitor.get("/transfers/new")
        self.headers = {
            "Cookie": "; ".join(f"{name}={value}" for name, value in self.visitor.http.cookies.items()),
            "X-CSRFToken": str(page.all("[name=csrf_token]")[0]["value"]),
            "Tus-Resumable": "1.0.0",
            "Origin": front.address,
        }

    def begin(self, size: int) -> str:
        told = {**self.headers, "Upload-Length": str(size), "Upload-Metadata": "filename YS5iaW4="}
        answer = self.visitor.http.post("/transfers/uploads", headers=told)
        assert answer.status_code == 201, answer.text
        return urlsplit(answer.headers["Location"]).path


def _times(reader: HttpVisitor, count: int, seconds: float = 60.0) -> list[float]:
    end, found = time.monotonic() + seconds, []
    while len(found) < count and time.monotonic() < end:
        began = time.monotonic()
        assert reader.get("/mailbox/INBOX").status == 200
        found.append((time.monotonic() - began) * 1000)
        time.sleep(0.05)
    return found


def _settings(services: Services) -> Settings:
    given = {name.removeprefix("WEBMAIL_").lower(): value for name, value in services.settings().items()}
    return config.load(given.pop("instance"), **given)


def _download(services: Services, front: Front, owner: str) -> str:
    settings = _settings(services)
    with accounts.tables(services.database):
        transfer = published(User.get(User.address == owner), {"a.bin": os.urandom(32 * MB)}, settings)
        [file] = store.files(transfer)
        return f"{front.address}/t/{store.link_token(transfer, settings)}/{file.upload}/a.bin"


@contextmanager
def _downloading(address: str, ca: str) -> Iterator[Counter[str]]:
    """Some who fetch it again and again, 4 MB a second each; what they were answered is known afterwards."""
    command = f"while :; do curl -s --limit-rate 4M --cacert {ca} -o /dev/null -w '%{{http_code}}\\n' {address}; sleep 0.2; done"
    guarded = ["/usr/bin/setpriv", "--pdeathsig", "TERM", "--", "/bin/bash", "-c", command]  # they end with whoever ends us
    programs = [subprocess.Popen(guarded, stdout=subprocess.PIPE, text=True, process_group=0) for _each in range(DOWNLOADS)]
    found: Counter[str] = Counter()
    try:
        yield found
    finally:
        for one in programs:
            os.killpg(one.pid, 15)
            found.update(one.communicate()[0].split())


# --- a class -------------------------------------------------------------------------------------------------------------


def _classes(services: Services, front: Front) -> bool:
    good = [
        _class(services, front, "forms of 300 KB", 300_000, _by_form),
        _class(services, front, "forms of 5 MB", 5 * MB, _by_form),
        _class(services, front, "5 MB as our script sends", 5 * MB, _by_script),
    ]
    return all(good)


def _class(services: Services, front: Front, name: str, size: int, way: Way) -> bool:
    link, start = _request(services), threading.Barrier(GUESTS)
    took: list[float] = []
    answers: Counter[str] = Counter()

    def guest(number: int) -> None:
        with httpx.Client(base_url=front.address, verify=ssl.create_default_context(cafile=front.ca), timeout=60) as client:
            data = os.urandom(size)
            start.wait()
            began = time.monotonic()
            way(client, link, number, data, answers, began + _PATIENCE)
            took.append(time.monotonic() - began)

    threads = [threading.Thread(target=guest, args=(number,)) for number in range(GUESTS)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    print(
        f"a class of {GUESTS}, {name}: {len(took)} are through, half of them after {statistics.median(took or [0]):.1f} s, the last "
        f"after {max(took or [0]):.1f} s; answers {dict(answers)}",
        flush=True,
    )
    return len(took) == GUESTS


def _request(services: Services) -> str:
    services.add_account(address := f"prof{random.randrange(10**9)}@lycee.example", "Nora Petit", 10**8)
    settings = _settings(services)
    with accounts.tables(services.database):
        owner = User.get_or_none(User.address == address) or User.create(address=address)
        made, _asked = requests.make(owner, Wishes("Devoirs"), "fr", settings)
        return f"/g/{requests.token(made, settings)}"


def _by_form(client: httpx.Client, link: str, number: int, data: bytes, answers: Counter[str], end: float) -> None:
    """Whoever is told to wait sends it again after as long."""
    body, kind = form_body([("name", f"Élève {number}"), ("action", "send")], [("devoir.pdf", data)])
    while time.monotonic() < end:
        answer = client.post(link, content=body, headers={"Content-Type": kind, "Origin": str(client.base_url)})
        answers[str(answer.status_code)] += 1
        if answer.status_code == 303:
            return
        time.sleep(float(answer.headers.get("Retry-After", "1")))
    raise TimeoutError(answers)


def _by_script(client: httpx.Client, link: str, number: int, data: bytes, answers: Counter[str], end: float) -> None:
    told = {"Tus-Resumable": "1.0.0", "Origin": str(client.base_url)}
    name = base64.b64encode(f"devoir {number}.pdf".encode()).decode()
    metadata = {"Upload-Length": str(len(data)), "Upload-Metadata": f"filename {name}"}
    while (made := client.post(f"{link}/uploads", headers={**told, **metadata})).status_code != 201:
        answers[f"POST {made.status_code}"] += 1
        assert time.monotonic() < end, answers
        time.sleep(float(made.headers.get("Retry-After", "1")))
    where, answer, offset = made.headers["Location"], made, 0
    while offset < len(data):
        assert time.monotonic() < end, answers
        if wait := answer.headers.get("Retry-After"):
            time.sleep(float(wait))
            answer = client.head(where, headers=told)
            answers["HEAD and wait" if "Retry-After" in answer.headers else "HEAD"] += 1
        else:
            more = {"Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
            answer = client.patch(where, content=data[offset:], headers={**told, **more})
            answers[str(answer.status_code)] += 1
        offset = int(answer.headers.get("Upload-Offset", offset))
    page = client.get(f"/g/{made.headers['X-Traboule-Transfer']}")
    action = re.search(r'id="guest-form"[^>]*action="([^"]+)"|action="([^"]+)"[^>]*id="guest-form"', page.text)
    where = (action[1] or action[2]) if action else f"/g/{made.headers['X-Traboule-Transfer']}"
    body, kind = form_body([("name", f"Élève {number}"), ("action", "send")])
    while (sent := client.post(where, content=body, headers={"Content-Type": kind, "Origin": told["Origin"]})).status_code == 503:
        answers["form 503"] += 1
        time.sleep(float(sent.headers.get("Retry-After", "1")))
    answers[f"form {sent.status_code}"] += 1
    assert sent.status_code == 303, sent.text[:500]
