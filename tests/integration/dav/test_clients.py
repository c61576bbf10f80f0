"""Real programs on a web process of its own: vdirsyncer both ways, khal and khard on what it synchronises, the caldav library.

A tenth of what `TRABOULE_DAV_WHOLE=1` takes: 200 events and 50 cards.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask

from deploy.demo.services import Services
from tests.support.dav_client import DavClient
from tests.support.second_web import second_web
from webmail.auth.devices import app_passwords
from webmail.database.connection import db
from webmail.models import User

ROOT = Path(__file__).resolve().parents[3]
PLACE = ROOT / ".venv" / "dav-clients"
EVENTS, CARDS = (200, 50) if os.environ.get("TRABOULE_DAV_WHOLE") else (20, 5)

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


class Disk:
    """Folders that vdirsyncer keeps in step with the server, for somebody new."""

    def __init__(self, folder: Path, clients: Path, phone: DavClient) -> None:
        self.folder, self.clients, self.phone = folder, clients, phone
        self.events, self.cards = folder / "calendars" / "calendar", folder / "contacts" / "contacts"

    def run(self, program: str, *words: str) -> str:
        """What a program says. Times are those of Paris, words are English."""
        command = [str(self.clients / program), "-c", str(self.folder / program), *words]
        outside = {"TZ": "Europe/Paris", "LC_ALL": "C.UTF-8", "HOME": str(self.folder), "PATH": os.environ["PATH"]}
        done = subprocess.run(command, input="y\n" * 10, capture_output=True, text=True, timeout=120, env=outside)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def sync(self) -> str:
        return self.run("vdirsyncer", "sync")


@pytest.fixture(scope="module")
def web(services: Services) -> Iterator[str]:
    with second_web(services) as url:
        yield url


@pytest.fixture
def disk(app: Flask, web: str, make_account: Callable[..., str], clients: Path, tmp_path: Path) -> Disk:
    address = make_account("dav")
    with db.connection_context():
        letters, _row = app_passwords.add(User.get(User.address == address), "Phone", ("caldav", "carddav"))
    (tmp_path / "vdirsyncer").write_text(CONFIG.format(folder=tmp_path, url=web, address=address, secret=letters))
    made = Disk(tmp_path, clients, DavClient.inside(app, address, letters))
    made.run("vdirsyncer", "discover")
    return made


def test_vdirsyncer_keeps_folders_in_step(disk: Disk) -> None:
    events, cards, phone = disk.events, disk.cards, disk.phone
    for number in range(EVENTS):
        (events / f"{number}.ics").write_bytes(event(number).encode())
    for number in range(CARDS):
        (cards / f"{number}.vcf").write_bytes(card(number).encode())
    disk.sync()
    assert len(phone.sync("calendar/")[1]) == EVENTS and len(phone.sync("contacts/")[1]) == CARDS
    assert b"NICKNAME:Riri,Ric" in phone.get("contacts/card-0.vcf")[1]
    assert phone.put("calendar/event-1.ics", event(1, "Changed there").encode())[0] == 204
    assert phone.put("contacts/new.vcf", card(77).encode())[0] == 201
    assert phone.ask("DELETE", "calendar/event-2.ics")[0] == 204
    (events / "3.ics").write_bytes(event(3, "Changed here").encode())
    (events / "4.ics").unlink()
    disk.sync()
    assert "Changed there" in (events / "1.ics").read_text() and not (events / "2.ics").exists()
    assert len(list(cards.iterdir())) == CARDS + 1
    assert b"Changed here" in phone.get("calendar/event-3.ics")[1] and phone.ask("GET", "calendar/event-4.ics")[0] == 404
    assert "Copying" not in (again := disk.sync()) and "Deleting" not in again


KHAL = """
[calendars]
[[calendar]]
path = {folder}/calendars/calendar
[sqlite]
path = {folder}/khal.db
[default]
default_calendar = calendar
[locale]
timeformat = %H:%M
dateformat = %Y-%m-%d
longdateformat = %Y-%m-%d
datetimeformat = %Y-%m-%d %H:%M
longdatetimeformat = %Y-%m-%d %H:%M
"""
KHARD = """
[addressbooks]
[[contacts]]
path = {folder}/contacts/contacts
[general]
editor = true
merge_editor = true
"""


def test_khal_and_khard_work_on_a_synchronised_folder(disk: Disk) -> None:
    (disk.folder / "khal").write_text(KHAL.format(folder=disk.folder))
    (disk.folder / "khard").write_text(KHARD.format(folder=disk.folder))
    assert disk.phone.put("calendar/1.ics", event(10).encode())[0] == disk.phone.put("contacts/1.vcf", card(1).encode())[0] == 201
    disk.sync()
    assert "10:00" in (listed := disk.run("khal", "list", "2026-11-18", "1d")) and "Lunch 10" in listed
    assert "Élodie 1" in disk.run("khard", "list")
    disk.run("khal", "new", "2026-11-20", "14:00", "15:30", "Conseil de classe", "::", "Salle B")
    (disk.folder / "new.yaml").write_text("First name: Zoé\nLast name: Petit\nEmail:\n    work: zoe@lycee.example\n")
    disk.run("khard", "new", "-a", "contacts", "-i", str(disk.folder / "new.yaml"))
    disk.sync()
    [new] = set(disk.phone.sync("calendar/")[1]) - {"1.ics"}
    text = disk.phone.get(f"calendar/{new}")[1].decode()
    assert "SUMMARY:Conseil de classe" in text and "DTSTART;TZID=Europe/Paris:20261120T140000" in text
    [new_card] = set(disk.phone.sync("contacts/")[1]) - {"1.vcf"}
    assert "zoe@lycee.example" in disk.phone.get(f"contacts/{new_card}")[1].decode()
    assert disk.phone.put(f"calendar/{new}", text.replace("Conseil de classe", "Réunion").encode())[0] == 204
    assert disk.phone.ask("DELETE", f"contacts/{new_card}")[0] == 204
    disk.sync()
    assert "Réunion" in disk.run("khal", "list", "2026-11-20", "1d") and "Zoé" not in disk.run("khard", "list")


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


def test_the_caldav_library_works_with_it(app: Flask, web: str, make_account: Callable[..., str], clients: Path) -> None:
    address = make_account("dav")
    with db.connection_context():
        letters, _row = app_passwords.add(User.get(User.address == address), "Phone", ("caldav",))
    command = [str(clients / "python"), "-c", SCRIPT, f"{web}/dav/", address, letters]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == [
        ["calendars", ["calendar"]], ["search", 1], ["expanded", 1], ["none", 0], ["todos", 1], ["sync", 1, 0], ["deleted", 1],
        ["left", 1],
    ]  # fmt: skip


MEETINGS = """
import json, sys
from datetime import datetime, timezone
import caldav, icalendar
url, address, secret, other, others = sys.argv[1:]
at = lambda hour: datetime(2037, 12, 1, hour, tzinfo=timezone.utc)
done = []
with caldav.DAVClient(url=url, username=address, password=secret) as client, caldav.DAVClient(url=url, username=other, password=others) as second:
    me, guest = client.principal(), second.principal()
    done.append(["announced", client.check_scheduling_support(), f"mailto:{address}" in me.calendar_user_address_set()])
    event = icalendar.Event()
    for name, value in (("uid", "m1"), ("dtstamp", at(1)), ("dtstart", at(9)), ("dtend", at(10)), ("summary", "Conseil")):
        event.add(name, value)
    text = icalendar.Calendar()
    text.add("version", "2.0")
    text.add("prodid", "-//t//EN")
    text.add_component(event)
    me.calendars()[0].save_with_invites(text, [me, guest.get_vcal_address()])
    [item] = guest.schedule_inbox().get_items()
    item.load()
    done.append(["invited", item.is_invite_request()])
    item.accept_invite(guest.calendars()[0])
    [answered] = me.schedule_inbox().get_items()
    answered.load()
    done.append(["answered", answered.is_invite_reply()])
    [mine] = me.calendars()[0].events()
    answers = {str(one).lower(): one.params.get("PARTSTAT") for one in mine.icalendar_component["attendee"]}
    done.append(["answer", answers[f"mailto:{other}"]])
    times = me.freebusy_request(at(0), at(23), [f"mailto:{other}", "mailto:eve@elsewhere.example"])
    done.append(["busy", sorted("20371201T090000Z/20371201T100000Z" in str(getattr(one, "data", one)) for one in times.values())])
print(json.dumps(done))
"""


def test_the_caldav_library_invites_answers_and_asks_when_people_are_free(
    app: Flask, web: str, make_account: Callable[..., str], clients: Path
) -> None:
    people: list[str] = []
    for address in (make_account("meets"), make_account("meets")):
        with db.connection_context():
            people += [address, app_passwords.add(User.get(User.address == address), "Phone", ("caldav",))[0]]
    command = [str(clients / "python"), "-c", MEETINGS, f"{web}/dav/", *people]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == [
        ["announced", True, True], ["invited", True], ["answered", True], ["answer", "ACCEPTED"], ["busy", [False, True]],
    ]  # fmt: skip
