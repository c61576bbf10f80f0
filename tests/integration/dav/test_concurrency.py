"""Several processes write to one calendar while somebody reads by synchronisation token: nothing is missed, one of equals wins."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable

from flask import Flask

from deploy.demo.services import Services
from tests.support.dav_client import DavClient
from tests.support.second_web import second_web
from webmail.auth import app_passwords
from webmail.database.connection import db
from webmail.models import Collection, User

NEW, FIGHTS = 6, 5  # of each writer


def event(uid: str, summary: str) -> bytes:
    inside = ["BEGIN:VEVENT", f"UID:{uid}", "DTSTART:20261105T100000Z", f"SUMMARY:{summary}", "END:VEVENT"]
    return "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", *inside, "END:VCALENDAR", ""]).encode()


def test_nothing_is_missed_and_one_of_equals_wins(app: Flask, services: Services, make_account: Callable[..., str]) -> None:
    address = make_account("dav")
    with db.connection_context():
        letters, _row = app_passwords.add(User.get(User.address == address), "Phone", ("caldav",))
    with second_web(services) as second, second_web(services) as third:
        clients = [DavClient.inside(app, address, letters), *(DavClient(url, address, letters) for url in (second, third))]
        reader = DavClient.inside(app, address, letters)
        assert reader.put("calendar/shared.ics", event("shared", "0"))[0] == 201
        token, seen = reader.sync("calendar/")
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
        assert calendar.count == 3 * NEW + 1 and calendar.seq == 3 * NEW + 1 + sum(wins)
