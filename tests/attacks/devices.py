"""Calendars and contacts of devices against their own users: load, silent bodies, guesses, bombs. Each is told by what another person
on another network notices meanwhile: their pages, their telephone, and how soon somebody new is signed in. Pages come from two
processes, and devices speak to another one, as deploy/nginx.conf has it.
"""

from __future__ import annotations

import base64
import os
import socket
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from deploy.demo.child import HOST
from tests.attacks.ground import PASSWORD, Ground, Web
from tests.attacks.report import Finding
from tests.bench import machine
from webmail.auth.devices import app_passwords
from webmail.collections import store
from webmail.models import CalendarObject, Collection, User

_EVENTS = 600
_DAV, _CAL = "DAV:", "urn:ietf:params:xml:ns:caldav"
_PROPS = "<d:getetag/><d:getcontenttype/><d:resourcetype/>"
_PROPFIND = f"<d:propfind xmlns:d='{_DAV}'><d:prop>{{}}</d:prop></d:propfind>"
_QUERY = (
    f"<c:calendar-query xmlns:d='{_DAV}' xmlns:c='{_CAL}'><d:prop><d:getetag/></d:prop>"
    "<c:filter><c:comp-filter name='VCALENDAR'>{}</c:comp-filter></c:filter></c:calendar-query>"
)
_MOST_MS, _SOON = 50.0, 5.0


@dataclass
class Telephone:
    """A device of somebody, on a network of its own."""

    web: Web
    address: str
    secret: str
    network: str

    def ask(self, method: str, path: str, body: str = "", seconds: float = 60, **headers: str) -> tuple[int, bytes]:
        """The status and the answer; status 0 where there is none."""
        token = base64.b64encode(f"{self.address}:{self.secret}".encode()).decode()
        sent = {"Authorization": f"Basic {token}", "X-Forwarded-For": self.network, **headers}
        with closing(HTTPConnection(HOST, self.web.port, timeout=seconds)) as connection, suppress(OSError, HTTPException):
            connection.request(method, f"/dav/{self.address}/{path}", body.encode(), sent)
            answer = connection.getresponse()
            return answer.status, answer.read()
        return 0, b""


@dataclass
class Beside:
    """What another person noticed: milliseconds of their pages, refusals of their telephone, seconds until somebody new was in."""

    pages: list[float] = field(default_factory=list)
    refused: int = 0
    asked: int = 0
    entered: float = 0.0

    @property
    def p95(self) -> float:
        return statistics.quantiles(self.pages, n=20)[-1] if len(self.pages) > 1 else 60_000

    def holds(self, quiet: Beside) -> bool:
        return self.p95 <= max(2 * quiet.p95, _MOST_MS) and not self.refused and self.entered <= _SOON

    def words(self, quiet: Beside) -> str:
        return (
            f"another person's pages {self.p95:.0f} ms (95 of 100; {quiet.p95:.0f} before), their telephone refused "
            f"{self.refused} of {self.asked}, somebody new in after {self.entered:.1f} s"
        )


def attacks(ground: Ground) -> list[Finding]:
    with ground.web(processes=2) as web, ground.web(service="bodies") as bodies:
        for pid in machine.family([bodies.pid]):
            for thread in Path(f"/proc/{pid}/task").iterdir():
                os.setpriority(os.PRIO_PROCESS, int(thread.name), 10)  # as deploy/traboule-bodies.service
        mallory, other = _telephone(ground, bodies, "203.0.113.7"), _telephone(ground, bodies, "198.51.100.20")
        quiet = _beside(ground, web, other, ground.times(20))
        beside_others = [
            _load(ground, web, mallory, other, quiet),
            _silent(ground, web, other, quiet, ""),
            _silent(ground, web, other, quiet, base64.b64encode(f"{mallory.address}:{mallory.secret}".encode()).decode()),
            _guesses(ground, web, other, quiet),
            _heavy_searches(ground, web, mallory, other, quiet),
        ]
    with ground.web() as web:
        mallory = _telephone(ground, web, "203.0.113.9")
        return [*beside_others, _memory(web, mallory), *_bombs(web, mallory)]


def _telephone(ground: Ground, web: Web, network: str) -> Telephone:
    """Of a new person with a calendar of _EVENTS events."""
    address = ground.person()
    with ground.tables():
        user = User.get(User.address == address)
        letters, _row = app_passwords.add(user, "Phone", ("caldav", "carddav"))
        calendar = store.default_collection(user, store.CALENDAR)
        rows = [_row_of(calendar, number) for number in range(1, _EVENTS + 1)]
        for at in range(0, _EVENTS, 100):
            CalendarObject.insert_many(rows[at : at + 100]).execute()
        Collection.update(seq=calendar.seq + _EVENTS, count=_EVENTS).where(Collection.id == calendar.id).execute()
    return Telephone(web, address, letters, network)


def _row_of(calendar: Collection, number: int) -> dict[str, object]:
    lines = ["BEGIN:VEVENT", f"UID:u{number}", "DTSTAMP:20260101T000000Z", "DTSTART:20261105T100000Z", f"SUMMARY:Class {number}"]
    text = "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//x//EN", *lines, "END:VEVENT", "END:VCALENDAR", ""])
    when = datetime(2026, 1, 1)
    return {
        "collection": calendar, "href": f"{number}.ics", "uid": f"u{number}", "component": "VEVENT", "etag": f"e{number}",
        "size": len(text), "text": text, "first": 0, "last": 1, "seq": calendar.seq + number, "modified": when, "created": when,
    }  # fmt: skip


def _beside(ground: Ground, web: Web, other: Telephone, seconds: float) -> Beside:
    """Somebody reads mail, their telephone synchronises, and somebody new signs in."""
    found = Beside()
    newcomer = ground.person()
    reader = web.browser("198.51.100.20")
    began = time.monotonic()
    reader.sign_in(newcomer, PASSWORD)
    found.entered = time.monotonic() - began
    for _warm in range(8):  # in each process: the first page of one is laid out from nothing
        reader.get("/contacts")
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found.pages.append(reader.get("/contacts").ms)
        status, _body = other.ask("PROPFIND", "calendar/", _PROPFIND.format("<d:sync-token/>"))
        found.asked += 1
        found.refused += status != 207
        time.sleep(0.1)
    return found


@contextmanager
def _meanwhile(count: int, do: Callable[[], object]) -> Iterator[list[int]]:
    """So many threads do something again and again; how often it was done."""
    over, done = threading.Event(), [0]

    def again() -> None:
        while not over.is_set():
            do()
            done[0] += 1

    threads = [threading.Thread(target=again, daemon=True) for _ in range(count)]
    for one in threads:
        one.start()
    time.sleep(0.5)
    try:
        yield done
    finally:
        over.set()
        for one in threads:
            one.join(30)


def _load(ground: Ground, web: Web, mallory: Telephone, other: Telephone, quiet: Beside) -> Finding:
    with _meanwhile(14, lambda: mallory.ask("PROPFIND", "calendar/", _PROPFIND.format(_PROPS), Depth="1")) as done:
        found = _beside(ground, web, other, ground.times(60))
    attack = f"14 connections of one account that ask for a calendar of {_EVENTS} events again and again"
    return Finding(attack, done[0], found.words(quiet), found.holds(quiet))


def _silent(ground: Ground, web: Web, other: Telephone, quiet: Beside, token: str) -> Finding:
    """`token`: of somebody with an account; "" for nobody."""
    signed = f"Authorization: Basic {token}\r\n" if token else ""
    head = f"PUT /dav/x/calendar/a.ics HTTP/1.1\r\nHost: {HOST}\r\n{signed}X-Forwarded-For: 203.0.113.8\r\nContent-Length: 90000\r\n\r\n"
    with ExitStack() as stack:
        for _ in range(20):
            line = stack.enter_context(closing(socket.create_connection((HOST, other.web.port), timeout=30)))
            line.sendall(head.encode() + b"BEGIN:")
        time.sleep(0.5)
        found = _beside(ground, web, other, ground.times(20))
    who = "one account" if token else "nobody’s account"
    return Finding(f"20 bodies of {who} that never come, with no proxy before", 20, found.words(quiet), found.holds(quiet))


def _guesses(ground: Ground, web: Web, other: Telephone, quiet: Beside) -> Finding:
    numbers = iter(range(10**6))

    def guess() -> None:
        number = next(numbers)
        Telephone(other.web, f"invented{number}@lycee.example", f"guess {number}", f"203.0.113.{number % 250}").ask(
            "PROPFIND", ""
        )

    with _meanwhile(8, guess) as done:
        found = _beside(ground, web, other, ground.times(20))
    attack = "Guesses for invented names from many networks, eight at once"
    return Finding(attack, done[0], found.words(quiet), found.holds(quiet))


def _heavy_searches(ground: Ground, web: Web, mallory: Telephone, other: Telephone, quiet: Beside) -> Finding:
    words = "".join(f"<c:prop-filter name='X-{n}'><c:is-not-defined/></c:prop-filter>" for n in range(40))
    asked = _QUERY.format(f"<c:comp-filter name='VEVENT'>{words}</c:comp-filter>")
    with _meanwhile(8, lambda: mallory.ask("REPORT", "calendar/", asked)) as done:
        found = _beside(ground, web, other, ground.times(20))
    return Finding("Searches by 40 conditions, eight at once of one account", done[0], found.words(quiet), found.holds(quiet))


def _memory(web: Web, mallory: Telephone) -> Finding:
    """One name asked for as often as a request may be long."""
    before, count = machine.memory([web.pid]).pss // 1024, 11_900
    status, body = mallory.ask("PROPFIND", "calendar/", _PROPFIND.format("<d:nothing/>" * count), Depth="1")
    grown = max(machine.memory([web.pid]).pss // 1024 - before, 0)
    words = f"answer {status} with {len(body) // 1024:,} KiB; the process is {grown:.0f} MiB larger"
    return Finding(
        f"One property asked for {count:,} times about {_EVENTS} events", 1, words, grown < 60 and len(body) < 2_000_000
    )


def _bombs(web: Web, mallory: Telephone) -> list[Finding]:
    """Single requests, by the processor time that they cost."""
    hrefs = "".join(f"<d:href>/dav/{mallory.address}/calendar/none{n}.ics</d:href>" for n in range(11_900))
    rule = "RECURRENCE-ID:20261105T100000Z\r\nRRULE:FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=29;BYHOUR=3\r\n"
    text = f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//EN\r\nBEGIN:VEVENT\r\nUID:bomb\r\nDTSTART:20261105T100000Z\r\n{rule}"
    mallory.ask("PUT", "calendar/bomb.ics", f"{text}END:VEVENT\r\nEND:VCALENDAR\r\n")
    time_range = "<c:time-range start='20261101T000000Z' end='20261201T000000Z'/>"
    far = "<c:time-range start='20450101T000000Z' end='20460101T000000Z'/>"
    expand = f"<c:calendar-query xmlns:d='{_DAV}' xmlns:c='{_CAL}'><d:prop><c:calendar-data><c:expand start='20260101T000000Z' "
    asked = {
        "A time asked for of the calendar itself, with a rule in a changed event": _QUERY.format(time_range),
        "500 conditions about 600 events": _QUERY.format(
            "<c:comp-filter name='VEVENT'>" + "<c:prop-filter name='UID'/>" * 500 + "</c:comp-filter>"
        ),
        "11,900 names that don’t exist": (
            f"<c:calendar-multiget xmlns:d='{_DAV}' xmlns:c='{_CAL}'><d:prop><d:getetag/></d:prop>{hrefs}</c:calendar-multiget>"
        ),
        "A year expanded": (
            f"{expand}end='20270101T000000Z'/></c:calendar-data></d:prop><c:filter><c:comp-filter name='VCALENDAR'>"
            f"<c:comp-filter name='VEVENT'>{time_range}</c:comp-filter></c:comp-filter></c:filter></c:calendar-query>"
        ),
        "A year far ahead": _QUERY.format(f"<c:comp-filter name='VEVENT'>{far}</c:comp-filter>"),
    }
    found = []
    for attack, body in asked.items():
        before = web.cpu()
        status, answer = mallory.ask("REPORT", "calendar/", body)
        seconds, told = web.cpu() - before, answer.count(b"<response>")
        allowed = 0.3 + 0.000_15 * told + 0.15  # what is around it, and the clock's grain
        found.append(Finding(attack, 1, f"answer {status}, {told} told, {seconds:.2f} s of the processor", seconds <= allowed))
    return found
