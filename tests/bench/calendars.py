"""CalDAV with 5,000 events and CardDAV with as many cards, beside Radicale with its own files: `python -m tests.bench.calendars`.

In `make bench` too. All answer in this process, one after the other, so that only their own work counts: processor time, the median
of several requests. A tenth of the events are weekly. Radicale's files are written as it writes them, and its cache is warm.
`... large` asks the same of 20,000 events and 10,000 cards, beside Radicale and beside our own 200 events and 100 cards.
"""

from __future__ import annotations

import base64
import json
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from werkzeug.test import Client

from tests.bench.table import OURS, Figure, Table

EVENTS = 5_000
LARGE, LARGE_CARDS, FEW, FEW_CARDS = 19_980, 10_000, 200, 100  # as many as one person may have, and room for the new ones
SECTION = "CalDAV, in times of Radicale's processor time with its own files"
SECTION_LARGE = "CalDAV, 20,000 events and 10,000 cards in times of the processor time with 200 and 100"
_C = "xmlns:d='DAV:' xmlns:c='urn:ietf:params:xml:ns:caldav' xmlns:s='http://calendarserver.org/ns/'"
_LIST = f"<d:propfind {_C}><d:prop><d:displayname/><s:getctag/><d:sync-token/><d:resourcetype/></d:prop></d:propfind>"
_ETAGS = f"<d:propfind {_C}><d:prop><d:getetag/></d:prop></d:propfind>"
_SYNC = f"<d:sync-collection {_C}><d:sync-token>%s</d:sync-token><d:prop><d:getetag/></d:prop></d:sync-collection>"
_MONTH = (
    f"<c:calendar-query {_C}><d:prop><d:getetag/><c:calendar-data/></d:prop><c:filter><c:comp-filter name='VCALENDAR'>"
    "<c:comp-filter name='VEVENT'><c:time-range start='%s' end='%s'/></c:comp-filter></c:comp-filter></c:filter></c:calendar-query>"
)


def event(number: int, summary: str = "Lunch") -> str:
    start = datetime.now(UTC) + timedelta(days=number % 700 - 350, hours=number % 10)
    rule = "RRULE:FREQ=WEEKLY\r\n" if number % 10 == 0 else ""
    inside = f"UID:event-{number}\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:{start:%Y%m%dT%H0000Z}\r\nDURATION:PT1H\r\n{rule}"
    text = f"SUMMARY:{summary} {number}\r\nLOCATION:Room {number % 40}\r\nDESCRIPTION:{'What is to be done. ' * 20}\r\n"
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//EN\r\nBEGIN:VEVENT\r\n{inside}{text}END:VEVENT\r\nEND:VCALENDAR\r\n"


def card(number: int, name: str = "Élodie") -> str:
    inside = f"UID:card-{number}\r\nFN:{name} {number}\r\nN:{number};{name};;;\r\nEMAIL:person{number}@bench.example\r\n"
    return f"BEGIN:VCARD\r\nVERSION:3.0\r\n{inside}TEL:+3361234{number:05}\r\nORG:Bench\r\nEND:VCARD\r\n"


def token_in(body: bytes) -> str:
    found = re.search(rb"sync-token[^>]*>([^<]+)<", body)
    assert found, body[-300:]
    return found[1].decode()


@dataclass(slots=True)
class Server:
    """Something that speaks CalDAV in this process."""

    client: Client
    home: str
    calendar: str
    secret: str

    def ask(self, method: str, path: str, body: str = "", depth: str = "0") -> tuple[float, bytes]:
        """Milliseconds of processor time, and the answer."""
        headers = {"Authorization": f"Basic {self.secret}", "Depth": depth}
        began = time.process_time()
        answer = self.client.open(path, method=method, data=body.encode(), headers=headers)
        content = answer.data
        took = (time.process_time() - began) * 1000
        assert answer.status_code < 300, (method, path, answer.status, content[:200])
        return took, content

    def token(self) -> str:
        _took, body = self.ask("REPORT", self.calendar, _SYNC % "")
        return token_in(body)


def ours(folder: Path, events: int, cards: int) -> Server:
    from webmail import create_app
    from webmail.auth.devices import app_passwords
    from webmail.calendar import objects
    from webmail.collections import store
    from webmail.contacts import device_cards
    from webmail.database.connection import db
    from webmail.models import User

    app = create_app(folder / "instance", sign_in="accounts", domain="bench.example")
    with db.connection_context(), db.atomic():
        user = User.create(address="alice@bench.example", local="alice", domain="bench.example")
        letters, _row = app_passwords.add(user, "Phone", ("caldav", "carddav"))
        calendar, zone = store.default_collection(user, store.CALENDAR), objects.zone_of("Europe/Paris")
        for number in range(events):
            objects.write(calendar.id, f"{number}.ics", event(number), objects.prepared(event(number), zone), None)
        book = store.default_collection(user, store.BOOK)
        for number in range(cards):
            device_cards.write(book, f"{number}.vcf", card(number), device_cards.read(card(number)), None)
    home = f"/dav/{user.address}/"
    return Server(app.test_client(), home, f"{home}calendar/", base64.b64encode(f"{user.address}:{letters}".encode()).decode())


def radicale(folder: Path, events: int, cards: int) -> Server:
    from radicale import config
    from radicale.app import Application

    calendar = folder / "radicale" / "collection-root" / "alice" / "calendar"
    calendar.mkdir(parents=True)
    (calendar / ".Radicale.props").write_text(json.dumps({"tag": "VCALENDAR", "D:displayname": "Calendar"}))
    book = calendar.parent / "contacts"
    book.mkdir()
    (book / ".Radicale.props").write_text(json.dumps({"tag": "VADDRESSBOOK", "D:displayname": "Contacts"}))
    for number in range(events):
        (calendar / f"{number}.ics").write_bytes(event(number).encode())
    for number in range(cards):
        (book / f"{number}.vcf").write_bytes(card(number).encode())
    configuration = config.load()
    given: Any = {
        "storage": {"filesystem_folder": str(folder / "radicale"), "_filesystem_fsync": "False"},
        "auth": {"type": "none", "delay": "0"},
        "reporting": {"max_expand_occurrence": "10000000"},
    }
    configuration.update(given, "bench", privileged=True)
    return Server(Client(Application(configuration)), "/alice/", "/alice/calendar/", base64.b64encode(b"alice:x").decode())


def steps(server: Server) -> dict[str, Callable[[], float]]:
    """What is measured; each gives its milliseconds."""
    now = datetime.now(UTC).replace(day=1, hour=0, minute=0, second=0)
    month = _MONTH % (f"{now:%Y%m%dT000000Z}", f"{now + timedelta(days=31):%Y%m%dT000000Z}")
    hrefs = "".join(f"<d:href>{server.calendar}{number}.ics</d:href>" for number in range(200))
    several = f"<c:calendar-multiget {_C}><d:prop><d:getetag/><c:calendar-data/></d:prop>{hrefs}</c:calendar-multiget>"
    book = f"{server.home}contacts/"
    cards = "".join(f"<d:href>{book}{number}.vcf</d:href>" for number in range(200))
    of_cards = (
        f"<r:addressbook-multiget {_C} xmlns:r='urn:ietf:params:xml:ns:carddav'><d:prop><d:getetag/><r:address-data/></d:prop>"
    )
    of_cards += f"{cards}</r:addressbook-multiget>"
    count = iter(range(10**6))
    token = [""]

    def put(name: str, number: int) -> float:
        return server.ask("PUT", f"{server.calendar}{name}.ics", event(number, f"Changed {next(count)}"))[0]

    def after_one() -> float:
        token[0] = token[0] or server.token()
        put("7", 7)
        took, body = server.ask("REPORT", server.calendar, _SYNC % token[0])
        token[0] = token_in(body)
        return took

    def new() -> float:
        number = 10**6 + next(count)
        return put(str(number), number + (number % 10 == 0))

    return {
        "the list of collections": lambda: server.ask("PROPFIND", server.home, _LIST, "1")[0],
        "all entity tags (PROPFIND)": lambda: server.ask("PROPFIND", server.calendar, _ETAGS, "1")[0],
        "first synchronisation": lambda: server.ask("REPORT", server.calendar, _SYNC % "")[0],
        "synchronisation after one change": after_one,
        "the events of a month": lambda: server.ask("REPORT", server.calendar, month)[0],
        "200 events at once (multiget)": lambda: server.ask("REPORT", server.calendar, several)[0],
        "PUT, a change": lambda: put("9", 9),
        "PUT, a new event": new,
        "cards: first synchronisation": lambda: server.ask("REPORT", book, _SYNC % "")[0],
        "cards: 200 at once": lambda: server.ask("REPORT", book, of_cards)[0],
        "cards: PUT, a change": lambda: server.ask("PUT", f"{book}9.vcf", card(9, f"Changed {next(count)}"))[0],
    }


def measure(table: Table, folder: Path) -> None:
    compare(table, SECTION, ours(folder, EVENTS, EVENTS), radicale(folder, EVENTS, EVENTS), most=1.0)


def large(table: Table, folder: Path) -> None:
    """20,000 events and 10,000 cards, beside Radicale, then beside few of our own."""
    many = ours(folder / "many", LARGE, LARGE_CARDS)
    compare(table, SECTION, many, radicale(folder, LARGE, LARGE_CARDS), most=1.0)
    # each application has its own database open in this process: what was measured of many is told beside few afterwards
    of_many = {row.name: row.figures[OURS] for row in table.rows}
    few = ours(folder / "few", FEW, FEW_CARDS)
    warm(few)
    for name in steps(few):
        mine, told = of_many[name].detail.partition(" / ")[0], medians(few, name, 5)
        table.add(OURS, SECTION_LARGE, name, Figure(float(mine) / told, f"{mine} / {told:.1f} ms of processor time"))


def compare(table: Table, section: str, mine: Server, theirs: Server, most: float) -> None:
    for server in (mine, theirs):
        warm(server)
    for name in steps(mine):
        with table.row(OURS, section, name):
            ours_took, theirs_took = medians(mine, name, 5), medians(theirs, name, 3)
            detail = f"{ours_took:.1f} / {theirs_took:.1f} ms of processor time"
            table.add(OURS, section, name, Figure(ours_took / theirs_took, detail), most=most)


def warm(server: Server) -> None:
    """Fill Radicale's cache."""
    for path in (server.calendar, f"{server.home}contacts/"):
        server.ask("REPORT", path, _SYNC % "")


def medians(server: Server, name: str, times: int) -> float:
    """Milliseconds of a step, once it was done before."""
    step = steps(server)[name]
    step()
    return statistics.median(step() for _again in range(times))


def main(arguments: list[str]) -> int:
    table = Table(datetime.now().astimezone(), {})
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        (large if arguments == ["large"] else measure)(table, Path(folder))
    for row in table.rows:
        print(f"| {row.name} | {row.figures[OURS].value:.2f} | {row.figures[OURS].detail} |")
    return 1 if table.missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
