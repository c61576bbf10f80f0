"""The organiser's pages: the grid of 20 people, and saving an event with 200 guests: `python -m tests.bench.meetings`.

In `make bench` too. Processor time of a request in this process without that of its queries, the least of several; bytes as compressed,
with the style sheets that the page adds to the frame.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.bench.calendar_pages import PASSWORD
from tests.bench.table import OURS, Figure, Table

SECTION = "Meetings: the times of 20 people, invitations to 200"
PEOPLE, GUESTS, GRID_BYTES, GRID_MS = 20, 200, 12 * 1024, 20.0
_TIMES = 25
_DAYS = range(7, 22)
_FORM = "form[data-event-form]"
_SHEETS = ("calendar.css", "pages.css", "find-time.css")
_TYPED = {"title": "Council", "start": "2027-12-07", "start_hour": "09:00", "end": "2027-12-07", "end_hour": "10:30"}


def fill() -> None:
    """Twenty people with five events a day, one in five of them an invitation without an answer."""
    from webmail.auth.passwords import hashing
    from webmail.calendar import objects
    from webmail.collections import store
    from webmail.database.connection import db
    from webmail.models import User

    zone, secret = objects.zone_of("Europe/Paris"), hashing.hash_password(PASSWORD)
    with db.connection_context(), db.atomic():
        for number in range(PEOPLE):
            local = f"p{number}"
            user = User.create(address=f"{local}@bench.example", local=local, domain="bench.example", password=secret)
            calendar = store.default_collection(user, store.CALENDAR)
            for day in _DAYS:
                for hour in range(8, 17, 2):
                    text = _event(f"{local}-{day}-{hour}", day, hour, local if hour == 8 else "")
                    objects.write(calendar.id, f"{day}-{hour}.ics", text, objects.prepared(text, zone), None)


def _event(uid: str, day: int, hour: int, invited: str) -> str:
    at = f";TZID=Europe/Paris:202712{day:02}T{hour:02}"
    lines = [f"UID:{uid}", "DTSTAMP:20260101T000000Z", f"DTSTART{at}0000", f"DTEND{at}4500", "SUMMARY:Lesson"]
    lines += [f"ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:{invited}@bench.example"] if invited else []
    frame = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//bench//EN", "BEGIN:VEVENT", *lines, "END:VEVENT", "END:VCALENDAR", ""]
    return "\r\n".join(frame)


@contextmanager
def queries() -> Iterator[list[float]]:
    """The processor time of each query, in milliseconds."""
    from webmail.database.connection import db

    kind, took = type(db.obj), []
    real = kind.execute_sql

    def timed(*values: Any, **more: Any) -> Any:
        began = time.process_time()
        try:
            return real(*values, **more)
        finally:
            took.append((time.process_time() - began) * 1000)

    kind.execute_sql = timed
    try:
        yield took
    finally:
        kind.execute_sql = real


def measure(table: Table, folder: Path) -> None:
    from tests.support.visits import Visitor
    from webmail import create_app

    app = create_app(folder / "meetings", sign_in="accounts", domain="bench.example", secure_cookies=False, imap_port=1)
    fill()
    one = Visitor(app, "p0@bench.example", PASSWORD)
    one.submit(one.get("/login"), "form[action='/login']", follow=False, username=one.address, password=PASSWORD)
    people = ", ".join(f"p{number}@bench.example" for number in range(1, PEOPLE))
    path = one.submit(one.get("/calendar/events/new"), _FORM, **_TYPED, invite=people, action="find").response.request.path
    for name, query in (("day", ""), ("week", "?view=week")):
        with table.row(OURS, SECTION, title := f"times of {PEOPLE} people, {name}, in times of {GRID_MS:.0f} ms"):
            took, count = min(_asked(one.client, path + query) for _again in range(_TIMES))
            table.add(OURS, SECTION, title, Figure(took / GRID_MS, f"{took:.1f} ms beyond {count} queries"), most=1.0)
    with table.row(OURS, SECTION, title := "the same, compressed"):
        sheets = [f"/static/css/{sheet}" for sheet in _SHEETS]
        size = sum(len(one.client.get(address, headers={"Accept-Encoding": "br"}).data) for address in (path, *sheets))
        table.add(OURS, SECTION, title, Figure(size / GRID_BYTES, f"{size} of {GRID_BYTES} bytes"), most=1.0)
    guests = ", ".join(f"g{number}@elsewhere.example" for number in range(GUESTS))
    for name, hidden in (("who see each other", ""), ("who don't", "1")):
        with table.row(OURS, SECTION, title := f"saving with {GUESTS} guests {name}"):
            form = one.get("/calendar/events/new")
            with queries() as took:
                began = time.process_time()
                answer = one.submit(form, _FORM, follow=False, **_TYPED, invite=guests, hidden=hidden, action="save")
                seconds = time.process_time() - began
            assert answer.status == 303, answer.status
            each = f"{seconds / GUESTS * 1000:.1f} ms and {len(took) / GUESTS:.1f} statements a guest"
            table.add(OURS, SECTION, title, Figure(seconds, f"seconds of processor time, {each}"), unit="s")


def _asked(client: Any, path: str) -> tuple[float, int]:
    with queries() as took:
        began = time.process_time()
        answer = client.get(path)
        spent = (time.process_time() - began) * 1000
    assert answer.status_code == 200, answer.status
    return spent - sum(took), len(took)


def main() -> int:
    table = Table(datetime.now().astimezone(), {})
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        measure(table, Path(folder))
    for row in table.rows:
        print(f"| {row.name} | {row.figures[OURS].value:.2f} | {row.figures[OURS].detail or row.figures[OURS].failed} |")
    return 1 if table.missed else 0


if __name__ == "__main__":
    sys.exit(main())
