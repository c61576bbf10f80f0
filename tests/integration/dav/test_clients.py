"""Real programs: vdirsyncer both ways, and the caldav library, on a web process of its own."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from deploy.demo.services import Services
from tests.support.dav_client import DavClient
from tests.support.second_web import second_web
from webmail.auth import app_passwords
from webmail.database.connection import db
from webmail.models import User

ROOT = Path(__file__).resolve().parents[3]
PLACE = ROOT / ".venv" / "dav-clients"
EVENTS, CARDS = 20, 5  # a tenth

CONFIG = """
[general]
status_path = "{folder}/status/"
[pair calendars]
a = "disk"
b = "server"
collections = ["from b"]
[pair contacts]
a = "cards"
b = "books"
collections = ["from b"]
[storage disk]
type = "filesystem"
path = "{folder}/calendars/"
fileext = ".ics"
[storage server]
type = "caldav"
url = "{url}/"
username = "{address}"
password = "{secret}"
[storage cards]
type = "filesystem"
path = "{folder}/contacts/"
fileext = ".vcf"
[storage books]
type = "carddav"
url = "{url}/"
username = "{address}"
password = "{secret}"
"""


def event(number: int, summary: str = "Lunch") -> str:
    rule = "RRULE:FREQ=WEEKLY\r\n" if number % 10 == 0 else ""
    start = f"DTSTART;TZID=Europe/Paris:202611{number % 28 + 1:02}T100000\r\n{rule}SUMMARY:{summary} {number}\r\n"
    inside = f"BEGIN:VEVENT\r\nUID:event-{number}\r\nDTSTAMP:20260101T000000Z\r\n{start}END:VEVENT\r\n"
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//EN\r\n{inside}END:VCALENDAR\r\n"


def card(number: int, name: str = "Élodie") -> str:
    photo = "PHOTO:data:image/png;base64,AAAA\r\nNICKNAME:Riri,Ric\r\n"
    return f"BEGIN:VCARD\r\nVERSION:4.0\r\nUID:card-{number}\r\nFN:{name} {number}\r\n{photo}END:VCARD\r\n"


@pytest.fixture
def clients() -> Path:
    if not (PLACE / "installed").exists():
        pytest.skip("no CalDAV clients: not installed, see deploy/prepare.sh")
    return PLACE / "bin"


def test_vdirsyncer_keeps_folders_in_step(
    app: Flask, services: Services, make_account: Callable[..., str], clients: Path, tmp_path: Path
) -> None:
    address = make_account("dav")
    with db.connection_context():
        letters, _row = app_passwords.add(User.get(User.address == address), "Phone", ("caldav", "carddav"))
    with second_web(services) as url:
        config = tmp_path / "config"
        config.write_text(CONFIG.format(folder=tmp_path, url=url, address=address, secret=letters))

        def run(*words: str) -> str:
            command = [str(clients / "vdirsyncer"), "-c", str(config), *words]
            done = subprocess.run(command, input="y\n" * 10, capture_output=True, text=True, timeout=120)
            assert done.returncode == 0, done.stdout + done.stderr
            return done.stdout + done.stderr

        run("discover")
        events, cards = tmp_path / "calendars" / "calendar", tmp_path / "contacts" / "contacts"
        for number in range(EVENTS):
            (events / f"{number}.ics").write_bytes(event(number).encode())
        for number in range(CARDS):
            (cards / f"{number}.vcf").write_bytes(card(number).encode())
        run("sync")
        phone = DavClient.inside(app, address, letters)
        assert len(phone.sync("calendar/")[1]) == EVENTS and len(phone.sync("contacts/")[1]) == CARDS
        assert b"NICKNAME:Riri,Ric" in phone.get("contacts/card-0.vcf")[1]
        assert phone.put("calendar/event-1.ics", event(1, "Changed there").encode())[0] == 204
        assert phone.put("contacts/new.vcf", card(77).encode())[0] == 201
        assert phone.ask("DELETE", "calendar/event-2.ics")[0] == 204
        (events / "3.ics").write_bytes(event(3, "Changed here").encode())
        (events / "4.ics").unlink()
        run("sync")
        assert "Changed there" in (events / "1.ics").read_text() and not (events / "2.ics").exists()
        assert len(list(cards.iterdir())) == CARDS + 1
        assert b"Changed here" in phone.get("calendar/event-3.ics")[1] and phone.ask("GET", "calendar/event-4.ics")[0] == 404
        assert "Copying" not in (again := run("sync")) and "Deleting" not in again


SCRIPT = """
import json, sys
from datetime import datetime, timezone
import caldav
url, address, secret = sys.argv[1:]
done = []
with caldav.DAVClient(url=url, username=address, password=secret) as client:
    principal = client.principal()
    done.append(["calendars", sorted(str(one.url).rstrip("/").rsplit("/", 1)[1] for one in principal.calendars())])
    made = principal.make_calendar(name="Work", cal_id="work")
    made.save_event(dtstart=datetime(2026, 11, 5, 10, tzinfo=timezone.utc), dtend=datetime(2026, 11, 5, 11, tzinfo=timezone.utc),
        uid="u1", summary="Meeting", rrule={"FREQ": "DAILY", "COUNT": 3})
    made.save_todo(uid="t1", summary="Buy bread")
    start, end = datetime(2026, 11, 6, tzinfo=timezone.utc), datetime(2026, 11, 7, tzinfo=timezone.utc)
    done.append(["search", len(made.search(start=start, end=end, event=True))])
    done.append(["expanded", len(made.search(start=start, end=end, event=True, expand=True))])
    done.append(["none", len(made.search(start=datetime(2027, 1, 1, tzinfo=timezone.utc), end=datetime(2027, 2, 1, tzinfo=timezone.utc), event=True))])
    done.append(["todos", len(made.todos())])
    found = made.event_by_uid("u1")
    objects = made.objects(load_objects=True)
    found.icalendar_component["SUMMARY"] = "Changed"
    found.save()
    changed, gone = objects.sync()
    done.append(["sync", len(list(changed)), len(list(gone))])
    found.delete()
    changed, gone = objects.sync()
    done.append(["deleted", len(list(gone))])
    made.delete()
    done.append(["left", len(principal.calendars())])
print(json.dumps(done))
"""


def test_the_caldav_library_works_with_it(
    app: Flask, services: Services, make_account: Callable[..., str], clients: Path
) -> None:
    address = make_account("dav")
    with db.connection_context():
        letters, _row = app_passwords.add(User.get(User.address == address), "Phone", ("caldav",))
    with second_web(services) as url:
        command = [str(clients / "python"), "-c", SCRIPT, f"{url}/dav/", address, letters]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == [
        ["calendars", ["calendar"]], ["search", 1], ["expanded", 1], ["none", 0], ["todos", 1], ["sync", 1, 0], ["deleted", 1],
        ["left", 1],
    ]  # fmt: skip
