"""Evolution's library (evolution-data-server) on a web process of its own: a series with an alarm, a task, a card, meetings."""

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
from webmail.collections.store import default_list
from webmail.database.connection import db
from webmail.models import Collection, Outbox, SentInvitation, Todo, User

FACTORY = Path("/usr/libexec/evolution-calendar-factory")
KINDS = (("calendar", "caldav", "Calendar"), ("tasks", "caldav", "Task List"), ("contacts", "carddav", "Address Book"))


class Evolution:
    """It runs; each thing that is done in it is a word."""

    def __init__(self, process: subprocess.Popen[str], phone: DavClient, address: str) -> None:
        self.process, self.phone, self.address = process, phone, address

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
        user = User.get(User.address == address)
        secret, _row = app_passwords.add(user, "Laptop", ("caldav", "carddav"))
        assert default_list(user).name == "tasks"
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
            yield Evolution(process, DavClient.inside(app, address, secret), address)
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

    _evolution_completes_a_task(program)

    assert program.do("add_card")
    [name] = phone.sync("contacts/")[1]
    assert "zoe@lycee.example" in phone.get(f"contacts/{name}")[1].decode()
    assert program.do("rename_card") and "Zozo" in phone.get(f"contacts/{name}")[1].decode()
    assert program.do("names") == ["Zoé Petit"]
    assert program.do("remove_card") and phone.sync("contacts/")[1] == {}


def _evolution_completes_a_task(program: Evolution) -> None:
    phone = program.phone
    text = "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//test//EN\nBEGIN:VTODO\nUID:ours\nDTSTAMP:20261130T000000Z\nDUE;VALUE=DATE:20371211\n"
    text += "SUMMARY:Rendre les copies\nX-OTHER:kept\nEND:VTODO\nEND:VCALENDAR\n"
    assert phone.put("tasks/ours.ics", text.replace("\n", "\r\n").encode())[0] == 201
    assert program.do("open_tasks") == ["Rendre les copies"] and program.do("finish_task")
    stored = phone.get("tasks/ours.ics")[1].decode()
    assert all(
        line in stored for line in ("STATUS:COMPLETED", "COMPLETED:20261202T100000Z", "PERCENT-COMPLETE:100", "X-OTHER:kept")
    )
    assert program.do("open_tasks") == [] and program.do("add_task") == "evolution-task"
    with db.connection_context():
        mine = Todo.select().join(Collection).join(User).where(User.address == program.address)
        assert {row.title: (row.done, row.priority) for row in mine} == {
            "Rendre les copies": (1, 10), "Commander des manuels": (0, 3),
        }  # fmt: skip


INVITED = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//test//EN
BEGIN:VEVENT
UID:invited-here
DTSTAMP:20261130T000000Z
DTSTART:20371202T090000Z
DTEND:20371202T100000Z
SUMMARY:Réunion
ORGANIZER:mailto:zoe@elsewhere.example
ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:{guest}
END:VEVENT
END:VCALENDAR
"""


def invitations(address: str) -> list[tuple[str, str]]:
    """Whom the guests of this person were told what, in their order."""
    with db.connection_context():
        mine = SentInvitation.select().join(User).where(User.address == address).order_by(SentInvitation.id)
        return [(one.method, one.recipient) for one in mine]


def replies(address: str) -> int:
    """How many messages went to the organiser elsewhere, or wait."""
    with db.connection_context():
        mine = Outbox.select().join(User).where(User.address == address, Outbox.recipients.contains("zoe@elsewhere.example"))
        return int(mine.count())


def test_evolution_invites_answers_cancels_and_asks_when_people_are_free(program: Evolution) -> None:
    phone, me, guest = program.phone, program.address, "guest@elsewhere.example"
    assert program.do("ready") == "ready"
    assert program.do("leaves_sending_to_the_server") is True
    assert program.do("invite") == "evolution-meeting"
    assert invitations(me) == [("REQUEST", guest)]
    assert program.do("move_meeting")
    assert invitations(me) == [("REQUEST", guest)] * 2
    [times] = program.do("free_busy")  # of the guest elsewhere nobody knows
    assert f"ATTENDEE:mailto:{me}" in times and "FREEBUSY;FBTYPE=BUSY:20371201T140000Z/20371201T150000Z" in times
    assert program.do("cancel")
    assert invitations(me)[2:] == [("CANCEL", guest)] or invitations(me) == []  # nothing had left

    text = INVITED.format(guest=me).replace("\n", "\r\n")
    assert phone.put("calendar/invited-here.ics", text.encode())[0] == 201 and replies(me) == 0
    assert program.do("accept") and replies(me) == 1
    assert "PARTSTAT=ACCEPTED" in phone.get("calendar/invited-here.ics")[1].decode().replace("\r\n ", "")
    assert program.do("refuse") and replies(me) == 2
