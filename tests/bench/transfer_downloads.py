"""Six people download at full speed behind nginx while somebody reads mail: how much longer a page takes meanwhile.

`python -m tests.bench.transfers downloads [ROUNDS]` (4): quiet, then busy, again and again, since the machine does other things too. Clients
and servers share it, TLS included, so what the clients cost counts too. Fails where a page of mail takes more than twice its time.
"""

from __future__ import annotations

import os
import random
import ssl
import statistics
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from deploy.demo import accounts
from deploy.demo.services import Services
from tests.bench import fill, machine
from tests.bench.transfer_crowd import MB, MOST, percentile
from tests.support.front import Front
from tests.support.http_visits import HttpVisitor
from tests.support.passing_folder import passing_folder
from tests.support.transfer_ground import published
from webmail.config import settings as config
from webmail.models import User
from webmail.transfers import store

DOWNLOADS = 6
_SIZE = 256 * MB
_QUIET, _BUSY, _PAUSE = 3.0, 6.0, 0.05  # seconds


def run(rounds: int = 4) -> bool:
    with (
        passing_folder() as folder,
        Services(folder / "demo", web=False) as services,
        Front(services, webs=1, workers=1, processes=2, threads=32) as front,
    ):
        address = f"lit{random.randrange(10**6)}@lycee.example"
        services.add_account(address, "Lectrice", 10**9)
        local, _at, domain = address.partition("@")
        fill.write(services.owner, services.base / "mail" / domain / local / "Maildir", address, 300)
        reader = front.visitor(address).sign_in()
        place = _file(services, front, address)
        _times(reader, _QUIET)
        alone = max(_speed(place, front.ca) for _each in range(4))
        ratios, shares, speeds = [], [], []
        for _round in range(rounds):
            before = _times(reader, _QUIET)
            with _downloading(place, front.ca) as fetched:
                time.sleep(1)
                began, idle = time.monotonic(), _bytes(fetched)
                during = _times(reader, _BUSY)
                speeds.append((_bytes(fetched) - idle) / MB / (time.monotonic() - began))
            ratios.append(statistics.median(during) / statistics.median(before))
            shares.append(percentile(during) / percentile(before))
            print(
                f"  {ratios[-1]:.2f} times ({statistics.median(before):.0f} and {statistics.median(during):.0f} ms; 95% within "
                f"{percentile(before):.0f} and {percentile(during):.0f} ms), {speeds[-1]:.0f} MB/s together",
                flush=True,
            )
        ratio = statistics.median(ratios)
        print(
            f"{DOWNLOADS} downloads at full speed through nginx: a page of mail takes {ratio:.2f} times as long, 95% within "
            f"{statistics.median(shares):.2f} times; {statistics.median(speeds):.0f} MB/s together, {alone:.0f} MB/s one alone; the web "
            f"processes have {sum(machine.highest(web.process.pid) for web in front.webs) / 1024:.0f} MiB at most"
        )
        return ratio <= MOST


def _times(reader: HttpVisitor, seconds: float) -> list[float]:
    """What a page of mail takes, ms, again and again."""
    end, found = time.monotonic() + seconds, []
    while time.monotonic() < end:
        began = time.monotonic()
        assert reader.get("/mailbox/INBOX").status == 200
        found.append((time.monotonic() - began) * 1000)
        time.sleep(_PAUSE)
    return found


def _file(services: Services, front: Front, owner: str) -> str:
    """The address of a file that anybody may download."""
    given = {name.removeprefix("WEBMAIL_").lower(): value for name, value in services.settings().items()}
    settings = config.load(given.pop("instance"), **given)
    with accounts.tables(services.database):
        transfer = published(User.get(User.address == owner), {"a.bin": os.urandom(_SIZE)}, settings)
        [file] = store.files(transfer)
        return f"{front.address}/t/{store.link_token(transfer, settings)}/{file.upload}/a.bin"


def _speed(place: str, ca: str) -> float:
    """MB/s of one download."""
    with httpx.Client(verify=ssl.create_default_context(cafile=ca)) as client, client.stream("GET", place) as answer:
        assert answer.status_code == 200
        began = time.monotonic()
        size = sum(len(piece) for piece in answer.iter_raw(MB))
        return size / MB / (time.monotonic() - began)


@contextmanager
def _downloading(place: str, ca: str) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Some who fetch it again and again."""
    again = ["-s", "--cacert", ca, "-o", "/dev/null", f"{place}?[1-999]"]
    programs = [subprocess.Popen(["/usr/bin/setpriv", "--pdeathsig", "TERM", "--", "curl", *again]) for _each in range(DOWNLOADS)]
    try:
        yield programs
        assert all(one.poll() is None for one in programs)
    finally:
        for one in programs:
            one.kill()
            one.wait()


def _bytes(programs: list[subprocess.Popen[bytes]]) -> int:
    """What they wrote to nowhere until now."""
    texts = [Path(f"/proc/{one.pid}/io").read_text() for one in programs]
    return sum(int(line.partition(":")[2]) for text in texts for line in text.splitlines() if line.startswith("wchar"))
