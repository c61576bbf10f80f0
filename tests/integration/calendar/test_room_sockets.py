"""Two people and a telephone want one room at one instant, of two web processes as in production: one of them has it, each round.

20 rounds; `ROOM_ROUNDS=200` makes as many as one wants, `-s` tells who was first how often.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from threading import Barrier

import httpx
import pytest

from tests.bench.web_processes import WebProcess
from tests.support import calendar_ground as ground
from tests.support.auth_app import PASSWORD
from tests.support.http_visits import HttpVisitor
from tests.support.postgresql import fresh_database
from tests.support.rooms import booked, day, event_text, room
from webmail.auth.devices import app_passwords
from webmail.models import Resource, User

ROUNDS = int(os.environ.get("ROOM_ROUNDS", "20"))
FORM = "form[data-event-form]"


@pytest.fixture
def processes(tmp_path: Path, database_url: str) -> Iterator[list[WebProcess]]:
    """Two of them, on one database with three people."""
    with ExitStack() as stack:
        own = {"database_url": stack.enter_context(fresh_database())} if database_url else {}
        stack.enter_context(ground.application(tmp_path / "instance", **own))
        for local in ("alice", "bob", "carol"):
            ground.add(f"{local}@lycee.example")
        values = {
            "instance": tmp_path / "instance", "sign_in": "accounts", "domain": "lycee.example", "secure_cookies": "false",
            "timezone": "Europe/Paris", "imap_security": "none", "imap_port": 1, "smtp_port": 1, **own,
        }  # fmt: skip
        environment = {f"WEBMAIL_{name.upper()}": str(value) for name, value in values.items()}
        yield [stack.enter_context(WebProcess(environment)) for _each in range(2)]


def browser(process: WebProcess, local: str, wanted: Resource) -> Callable[[str, int, Barrier], bool]:
    visitor = HttpVisitor(process.base, "", f"{local}@lycee.example", PASSWORD)
    page = visitor.get("/login")
    visitor.submit(page, "form[action='/login']", follow=False, username=visitor.address, password=PASSWORD)

    def book(on: str, hour: int, start: Barrier) -> bool:
        form = visitor.get("/calendar/events/new")
        values = {"title": local, "start": on, "end": on, "start_hour": f"{hour:02}:00", "end_hour": f"{hour:02}:50"}
        start.wait(60)
        page = visitor.submit(form, FORM, follow=False, room=wanted.address, **values)
        assert page.status in (303, 422), page.status
        return page.status == 303

    return book


def telephone(processes: list[WebProcess], secret: str, wanted: Resource) -> Callable[[str, int, Barrier], bool]:
    clients = [httpx.Client(base_url=one.base, auth=("carol@lycee.example", secret), timeout=60) for one in processes]
    home = "/dav/carol@lycee.example/calendar/"

    def book(on: str, hour: int, start: Barrier) -> bool:
        client, at = clients[hour % 2], f"{on.replace('-', '')}T{hour:02}"
        text = event_text(f"{on}-{hour}", f";TZID=Europe/Paris:{at}3000", f";TZID=Europe/Paris:{at}4500", rooms=(wanted,))
        start.wait(60)
        client.request("PROPFIND", home, headers={"Depth": "1"})  # as telephones do: else it would always be first
        assert client.put(f"{home}{on}-{hour}.ics", content=text).status_code == 201
        stored = client.get(f"{home}{on}-{hour}.ics").text.replace("\r\n ", "")
        assert "PARTSTAT=ACCEPTED" in stored or "PARTSTAT=DECLINED" in stored, stored
        return "PARTSTAT=ACCEPTED" in stored

    return book


def test_one_of_those_who_want_a_room_at_one_instant_has_it(processes):
    wanted = room()
    secret, _row = app_passwords.add(User.get(User.address == "carol@lycee.example"), "Phone", ("caldav",))
    rivals = [
        browser(processes[0], "alice", wanted), browser(processes[1], "bob", wanted), telephone(processes, secret, wanted),
    ]  # fmt: skip
    outcomes: Counter[tuple[bool, ...]] = Counter()
    with ThreadPoolExecutor(len(rivals)) as threads:
        for number in range(ROUNDS):
            start = Barrier(len(rivals))
            when = (day(7 + number // 10), 8 + number % 10, start)
            outcomes[tuple(threads.map(lambda book, when=when: book(*when), rivals))] += 1
    print(dict(outcomes))
    assert {sum(each) for each in outcomes} == {1}
    assert len(booked(wanted)) == ROUNDS
