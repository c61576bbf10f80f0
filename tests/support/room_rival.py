"""A process that wants a room at the instant when it is told to: a person's browser, or a telephone, with an application of its own.

`python -m tests.support.room_rival KIND FOLDER DATABASE PERSON SECRET ROOM`; on its input the day and hour of each round, then an
empty line for "now"; on its output "ready", and whether it has the room.
"""

from __future__ import annotations

import base64
import sys
from collections.abc import Callable
from pathlib import Path

from flask import Flask

from tests.support import calendar_ground as ground
from tests.support import light_passwords
from tests.support.rooms import event_text
from webmail.models import Resource


def main(kind: str, folder: str, database: str, person: str, secret: str, room: str) -> None:
    light_passwords.install()
    settings = {"database_url": database} if database else {}
    with ground.application(Path(folder), **settings) as app:
        wanted = Resource.get(Resource.address == room)
        prepare = _browser(app, person, wanted) if kind == "browser" else _phone(app, person, secret, wanted)
        for line in sys.stdin:
            act = prepare(*line.split())
            print("ready", flush=True)
            sys.stdin.readline()
            print("has" if act() else "has not", flush=True)


def _browser(app: Flask, person: str, wanted: Resource) -> Callable[[str, str], Callable[[], bool]]:
    visitor = ground.signed_in(app, person)

    def prepare(day: str, hour: str) -> Callable[[], bool]:
        form = visitor.get("/calendar/events/new")
        values = {"title": person, "start": day, "end": day, "start_hour": f"{hour}:00", "end_hour": f"{hour}:50"}

        def act() -> bool:
            page = visitor.submit(form, "form[data-event-form]", follow=False, room=wanted.address, **values)
            assert page.status in (303, 422), page.status
            return page.status == 303

        return act

    return prepare


def _phone(app: Flask, person: str, secret: str, wanted: Resource) -> Callable[[str, str], Callable[[], bool]]:
    client, home = app.test_client(), f"/dav/{person}@lycee.example/calendar/"
    token = base64.b64encode(f"{person}@lycee.example:{secret}".encode()).decode()
    headers = {"Authorization": f"Basic {token}"}

    def prepare(day: str, hour: str) -> Callable[[], bool]:
        uid, at = f"{day}-{hour}", day.replace("-", "") + f"T{hour}"
        text = event_text(uid, f";TZID=Europe/Paris:{at}3000", f";TZID=Europe/Paris:{at}4500", rooms=(wanted,))

        def act() -> bool:
            client.open(
                home, method="PROPFIND", headers={**headers, "Depth": "1"}
            )  # as telephones do: else it would always be first
            answer = client.put(f"{home}{uid}.ics", data=text, headers=headers)
            assert answer.status_code == 201, (answer.status_code, answer.text)
            stored = client.get(f"{home}{uid}.ics", headers=headers).text.replace("\r\n ", "")
            assert "PARTSTAT=ACCEPTED" in stored or "PARTSTAT=DECLINED" in stored, stored
            return "PARTSTAT=ACCEPTED" in stored

        return act

    return prepare


if __name__ == "__main__":
    main(*sys.argv[1:])
