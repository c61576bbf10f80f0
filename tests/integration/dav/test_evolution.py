"""Evolution's library (evolution-data-server) on a web process of its own: a series with an alarm, one of its times, a card."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask

from deploy.demo.services import Services
from tests.support import evolution
from tests.support.dav_client import DavClient
from tests.support.libical import PYTHON
from tests.support.second_web import second_web
from webmail.auth.devices import app_passwords
from webmail.database.connection import db
from webmail.models import User

FACTORY = Path("/usr/libexec/evolution-calendar-factory")
KINDS = (("calendar", "caldav", "Calendar"), ("contacts", "carddav", "Address Book"))


class Evolution:
    """It runs; each thing that is done in it is a word."""

    def __init__(self, process: subprocess.Popen[str], phone: DavClient) -> None:
        self.process, self.phone = process, phone

    def do(self, word: str) -> Any:
        assert self.process.stdin and self.process.stdout
        if word != "ready":
            self.process.stdin.write(f"{word}\n")
        answer = self.process.stdout.readline()
        assert answer, f"it ended at {word}"
        return json.loads(answer)


@pytest.fixture
def program(app: Flask, services: Services, make_account: Callable[..., str], tmp_path: Path) -> Iterator[Evolution]:
    if not FACTORY.exists() or shutil.which("dbus-run-session") is None or not _has_libraries():
        pytest.skip("no Evolution: apt-get install evolution-data-server gir1.2-ecal-2.0 gir1.2-ebook-1.2 dbus-daemon")
    address = make_account("evolution")
    with db.connection_context():
        secret, _row = app_passwords.add(User.get(User.address == address), "Laptop", ("caldav", "carddav"))
    sources = tmp_path / ".config" / "evolution" / "sources"
    sources.mkdir(parents=True)
    outside = {"HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path), "PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
    outside |= {"GIO_USE_VFS": "local", "GSETTINGS_BACKEND": "memory", "TZ": "Europe/Paris"}
    with second_web(services) as url:
        where = urlsplit(url)
        for name, backend, kind in KINDS:
            text = evolution.SOURCE.format(
                name=name, backend=backend, kind=kind, host=where.hostname, port=where.port, user=address
            )
            (sources / f"{name}.source").write_text(text)
        command = ["dbus-run-session", "--", str(PYTHON), "-I", evolution.__file__, address, secret]
        with subprocess.Popen(
            command, env=outside, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, bufsize=1
        ) as process:
            yield Evolution(process, DavClient.inside(app, address, secret))
            assert process.stdin
            process.stdin.close()
            process.wait(20)


def _has_libraries() -> bool:
    tried = ";".join(f"gi.require_version('{name}','{version}')" for name, version in evolution.NEEDED)
    return (
        PYTHON.exists()
        and not subprocess.run([str(PYTHON), "-c", f"import gi;{tried}"], capture_output=True, check=False).returncode
    )


def test_a_series_and_a_card_of_evolution(program: Evolution) -> None:
    phone = program.phone
    assert program.do("ready") == "ready"
    assert program.do("add_series") == "evolution-series"
    [name] = phone.sync("calendar/")[1]
    etag, body = phone.get(f"calendar/{name}")
    text = body.decode()
    assert (
        "RRULE:FREQ=WEEKLY;COUNT=4" in text and "TRIGGER:-PT15M" in text and "DTSTART;TZID=Europe/Paris:20261201T100000" in text
    )
    assert phone.put(f"calendar/{name}", text.replace("SUMMARY:Conseil", "SUMMARY:Conseil déplacé").encode(), etag)[0] == 204
    assert program.do("titles") == ["Conseil déplacé"]
    assert program.do("rename_all")
    assert "SUMMARY:Conseil de classe" in phone.get(f"calendar/{name}")[1].decode()
    assert program.do("remove_second")
    assert "EXDATE" in phone.get(f"calendar/{name}")[1].decode()
    assert program.do("remove_all") and phone.sync("calendar/")[1] == {}

    assert program.do("add_card")
    [name] = phone.sync("contacts/")[1]
    assert "zoe@lycee.example" in phone.get(f"contacts/{name}")[1].decode()
    assert program.do("rename_card") and "Zozo" in phone.get(f"contacts/{name}")[1].decode()
    assert program.do("names") == ["Zoé Petit"]
    assert program.do("remove_card") and phone.sync("contacts/")[1] == {}
