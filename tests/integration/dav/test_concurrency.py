"""Several processes write to one calendar while somebody reads by synchronisation token: nothing is missed, one of equals wins."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC
from types import SimpleNamespace

import pytest
from flask import Flask

from deploy.demo.services import Services
from tests.support.dav_client import DavClient
from tests.support.second_web import second_web
from webmail.auth.devices import app_passwords
from webmail.calendar import objects
from webmail.database.connection import db
from webmail.models import CalendarObject, Collection, CollectionShare, Occurrence, User

NEW, FIGHTS = 6, 5  # of each writer


def event(uid: str, summary: str) -> bytes:
    inside = ["BEGIN:VEVENT", f"UID:{uid}", "DTSTART:20261105T100000Z", f"SUMMARY:{summary}", "END:VEVENT"]
    return "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", *inside, "END:VCALENDAR", ""]).encode()


@pytest.fixture(scope="module")
def processes(services: Services) -> Iterator[tuple[str, str]]:
    """Two web processes more, by their addresses."""
    with second_web(services) as second, second_web(services) as third:
        yield second, third


def test_nothing_is_missed_and_one_of_equals_wins(
    app: Flask, processes: tuple[str, str], make_account: Callable[..., str]
) -> None:
    address = make_account("dav")
    with db.connection_context():
        letters, _row = app_passwords.add(User.get(User.address == address), "Phone", ("caldav",))
    clients = [DavClient.inside(app, address, letters), *(DavClient(url, address, letters) for url in processes)]
    reader = DavClient.inside(app, address, letters)
    assert reader.put("calendar/shared.ics", event("shared", "0"))[0] == 201
    token, seen = reader.sync("calendar/")
    began = int(token.rpartition("-")[2])
    wins, faults = [0, 0, 0], []
    done = threading.Event()

    def write(number: int) -> None:
        client = clients[number]
        for step in range(NEW + FIGHTS):
            if step < NEW:
                status, _etag = client.put(f"calendar/{number}-{step}.ics", event(f"{number}-{step}", "x"))
                if status != 201:
                    faults.append((number, step, status))
                continue
            etag, text = client.get("calendar/shared.ics")
            count = int(re.search(rb"SUMMARY:(\d+)", text)[1])  # type: ignore[index]
            status, _etag = client.put("calendar/shared.ics", event("shared", str(count + 1)), etag)
            wins[number] += status == 204
            if status not in (204, 412):
                faults.append((number, step, status))

    def read() -> None:
        nonlocal token
        while not done.is_set():
            token, found = reader.sync("calendar/", token)
            seen.update(found)

    writers = [threading.Thread(target=write, args=(number,)) for number in range(3)]
    reading = threading.Thread(target=read)
    for thread in (*writers, reading):
        thread.start()
    for thread in writers:
        thread.join(60)
    done.set()
    reading.join(20)
    assert faults == []
    _token, last = reader.sync("calendar/", token)
    assert set(seen) | set(last) == {"shared.ics", *(f"{number}-{step}.ics" for number in range(3) for step in range(NEW))}
    _etag, text = reader.get("calendar/shared.ics")
    assert f"SUMMARY:{sum(wins)}\r".encode() in text and sum(wins) > 0
    with db.connection_context():
        calendar = Collection.get(Collection.user == User.get(User.address == address), Collection.kind == "calendar")
        assert calendar.count == 3 * NEW + 1 and calendar.seq == began + 3 * NEW + sum(wins)


def test_deletions_moves_and_another_person_are_not_missed_either(
    app: Flask, processes: tuple[str, str], make_account: Callable[..., str]
) -> None:
    """Two devices of one person, and one of somebody who may write to a calendar; each reads both or the shared one by token."""
    address, other = make_account("dav"), make_account("guest")
    with db.connection_context():
        owner, guest = (User.get(User.address == one) for one in (address, other))
        letters, guests = (app_passwords.add(one, "Phone", ("caldav",))[0] for one in (owner, guest))
    mine = DavClient.inside(app, address, letters)
    assert mine.ask("MKCALENDAR", "second/")[0] == 201
    assert mine.put("calendar/first.ics", event("first", "0"))[0] == 201
    with db.connection_context():
        number = Collection.get(Collection.user == owner, Collection.name == "calendar").id
        CollectionShare.create(collection=number, user=guest, rights="write")
    shared = f"shared-{number}/"
    clients = [
        (mine, "calendar/"),
        (DavClient(processes[0], address, letters), "calendar/"),
        (DavClient(processes[1], other, guests), shared),
    ]
    together, faults = threading.Barrier(3, timeout=60), []
    ties = [f"tie-{step}.ics" for step in range(FIGHTS)]
    etags = {name: mine.put(f"calendar/{name}", event(name, "0"))[1] for name in ties}
    outcomes: dict[str, list[int]] = {name: [] for name in ties}
    readers = [(mine, "calendar/"), (mine, "second/"), (DavClient.inside(app, other, guests), shared)]
    known: list[tuple[str, dict[str, bool]]] = [client.sync(path) for client, path in readers]
    done = threading.Event()

    def write(number: int) -> None:
        client, path = clients[number]
        for step in range(NEW):
            name = f"{number}-{step}.ics"
            answers = [(201, client.put(path + name, event(name, "x"))[0])]
            if step % 3 == 1:
                answers.append((204, client.ask("DELETE", path + name)[0]))
            elif step % 3 == 2 and number < 2:
                answers.append((201, client.ask("MOVE", path + name, Destination=f"{client.home}second/{name}")[0]))
            faults.extend((name, *pair) for pair in answers if pair[0] != pair[1])
        for name in ties:
            together.wait()
            headers = {"If_Match": etags[name]}
            if number == 1:
                status = client.ask("DELETE", path + name, **headers)[0]
            else:
                status = client.ask("PUT", path + name, event(name, str(number + 1)), **headers)[0]
            outcomes[name].append(status)

    def read() -> None:
        while not done.is_set():
            for at, (client, path) in enumerate(readers):
                token, found = client.sync(path, known[at][0])
                known[at] = token, known[at][1] | found

    threads = [threading.Thread(target=write, args=(number,)) for number in range(3)]
    reading = threading.Thread(target=read)
    for thread in (*threads, reading):
        thread.start()
    for thread in threads:
        thread.join(60)
    done.set()
    reading.join(20)
    assert faults == [] and not reading.is_alive()
    for name, statuses in outcomes.items():
        assert sorted(statuses)[0] == 204 and set(sorted(statuses)[1:]) <= {404, 412}, (name, statuses)
    for at, (client, path) in enumerate(readers):
        seen = known[at][1] | client.sync(path, known[at][0])[1]
        assert {name for name, there in seen.items() if there} == set(client.sync(path)[1]), path
    with db.connection_context():
        for name in ("calendar", "second"):
            row = Collection.get(Collection.user == owner, Collection.name == name)
            objects = list(CalendarObject.select().where(CalendarObject.collection == row))
            assert (row.count, row.size) == (len(objects), sum(one.size for one in objects))
            assert Occurrence.select().where(Occurrence.collection == row).count() == len(objects)


def test_the_hourly_work_and_devices_leave_each_event_with_its_own_times(
    app: Flask, processes: tuple[str, str], make_account: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A device changes events that recur in another process, while this one expands them further as if a year had gone by."""
    address = make_account("dav")
    with db.connection_context():
        letters, _row = app_passwords.add(User.get(User.address == address), "Phone", ("caldav",))
    phone, faults = DavClient(processes[0], address, letters), []

    def weekly(number: int, summary: str) -> bytes:
        return event(f"weekly-{number}", summary).replace(b"SUMMARY", b"RRULE:FREQ=WEEKLY\r\nSUMMARY")

    def change() -> None:
        for step in range(3):
            for number in range(4):
                status, _etag = phone.put(f"calendar/{number}.ics", weekly(number, str(step)))
                if status not in (201, 204):
                    faults.append((step, number, status))

    change()
    later = time.time() + 500 * 86_400
    monkeypatch.setattr(objects, "time", SimpleNamespace(time=lambda: later))
    device = threading.Thread(target=change)
    device.start()
    expanded = 0
    with db.connection_context():
        while device.is_alive():
            expanded += objects.extend_index(UTC)
        device.join()
        expanded += objects.extend_index(UTC)
        calendar = Collection.get(Collection.user == User.get(User.address == address))
        rows = list(CalendarObject.select().where(CalendarObject.collection == calendar))
        assert faults == [] and len(rows) == 4 and expanded >= 4
        for row in rows:
            times = list(Occurrence.select().where(Occurrence.object == row))
            assert {one.summary for one in times} == {"2"} and len({one.start for one in times}) == len(times) > 200
            assert row.indexed_until > later
