"""The calendar's pages with 20 calendars and 20,000 events, beside one with 200: `python -m tests.bench.calendar_pages [EVENTS]`.

In `make bench` too. Processor time of a request in this process, both in turn, the least of several, since the machine may be busy with
other things; and the bytes of a month as compressed. "After a change": of an event in one of the calendars, when the page is laid out
again. "Anew": with nothing kept of any page, as in a new process.
The events lie within two years around today; a tenth of them take place ten times, weekly, as the lessons of a term do.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from werkzeug.test import Client

from tests.bench.calendars import event
from tests.bench.table import OURS, Figure, Table

CALENDARS, EVENTS, FEW = 20, 20_000, 200
SECTION = "Calendar pages, 20 calendars with 20,000 events in times of one with 200"
MONTH_BYTES, MONTH_MS = 8 * 1024, 12.0
TODOS, TODO_BYTES = 2_000, 12 * 1024
_FREE_BUSY = "busy times of 20 calendars over a week, in times of the bare query"
PASSWORD = "correct horse"
_TIMES = 25
_STEP = 37  # 700 days, of which each has its turn


def fill(address: str, calendars: int, events: int, step: int = 1) -> None:
    """A person with so many calendars, and events in them. `step`: between their numbers, so that few lie within two years too."""
    from webmail.auth.passwords import hashing
    from webmail.calendar import objects
    from webmail.collections import store
    from webmail.database.connection import db
    from webmail.models import Collection, User

    local, _at, domain = address.partition("@")
    zone = objects.zone_of("Europe/Paris")
    with db.connection_context(), db.atomic():
        user = User.create(address=address, local=local, domain=domain, password=hashing.hash_password(PASSWORD))
        made = [store.default_collection(user, store.CALENDAR)]
        for number in range(1, calendars):
            props = f'{{"D:displayname": "Calendar {number}"}}'
            made.append(Collection.create(user=user, name=f"c{number}", kind="calendar", components="VEVENT", props=props))
        for number in range(0, events * step, step):
            text = event(number).replace("FREQ=WEEKLY", "FREQ=WEEKLY;COUNT=10")
            objects.write(made[number % calendars].id, f"{number}.ics", text, objects.prepared(text, zone), None)


def fill_todos(address: str, count: int) -> None:
    """Put so many tasks into the first list of a person, a quarter of them done."""
    from webmail.calendar import objects
    from webmail.collections import store
    from webmail.database.connection import db
    from webmail.mime.formats.calendars import todo_edit
    from webmail.models import User

    zone, today = objects.zone_of("Europe/Paris"), datetime.now().date()
    with db.connection_context(), db.atomic():
        made = store.default_list(User.get(User.address == address))
        for number in range(count):
            due = today + timedelta(days=number % 400 - 40)
            text = todo_edit.made_todo(f"todo-{number}", todo_edit.TodoFields(title=f"Mark the essays {number}", due=due))
            text = text.replace("NEEDS-ACTION", "NEEDS-ACTION" if number % 4 else "COMPLETED")
            objects.write(made.id, f"todo-{number}.ics", text, objects.prepared(text, zone), None)


def show_todos(*addresses: str) -> None:
    """In their calendars."""
    from webmail import preferences
    from webmail.database.connection import db
    from webmail.models import User

    with db.connection_context():
        for user in User.select().where(User.address.in_(addresses)):
            preferences.change(user, todos_shown=True)


def visitor(app: Any, address: str) -> Client:
    from tests.support.visits import Visitor

    one = Visitor(app, address, PASSWORD)
    one.submit(one.get("/login"), "form[action='/login']", follow=False, username=address, password=PASSWORD)
    client: Client = one.client
    return client


def asked(client: Client, path: str) -> float:
    """Milliseconds of processor time of a request."""
    began = time.process_time()
    answer = client.get(path, headers={"Accept-Encoding": "identity"})
    took = (time.process_time() - began) * 1000
    assert answer.status_code == 200, (path, answer.status)
    return took


def in_turn(path: str, people: Sequence[tuple[str, Client]], before: Callable[[str], None] | None = None) -> list[float]:
    """The least that each of these takes; `before`: what is done for each request, with the address of who asks."""
    took: list[list[float]] = [[] for _one in people]
    for _again in range(_TIMES):
        for (address, client), times in zip(people, took, strict=True):
            if before:
                before(address)
            times.append(asked(client, path))
    return [min(times) for times in took]


def change(address: str) -> None:
    """Write an event of this person's anew, as it is."""
    from webmail.calendar import objects
    from webmail.database.connection import db
    from webmail.models import CalendarObject, Collection, User

    db.connect(reuse_if_open=True)
    mine = CalendarObject.select().join(Collection).join(User).where(User.address == address, CalendarObject.recurring == 0)
    row = mine.order_by(CalendarObject.id).first()
    with db.atomic():
        objects.write(row.collection_id, row.href, row.text, objects.prepared(row.text, objects.zone_of("Europe/Paris")), row)


def forget(_address: str) -> None:
    """Keep nothing of any calendar page."""
    from webmail.calendar.display import day_counts
    from webmail.web.templates import fragment_cache

    fragment_cache.forget("calendar", "week", "day")
    day_counts.forget()


def measure(table: Table, folder: Path, events: int = EVENTS) -> None:
    from webmail import create_app

    app = create_app(folder / "pages", sign_in="accounts", domain="bench.example", secure_cookies=False, imap_port=1)
    fill("few@bench.example", 1, FEW, _STEP)
    fill("many@bench.example", CALENDARS, events)
    few, many = (visitor(app, f"{name}@bench.example") for name in ("few", "many"))
    today = datetime.now().date()
    far = (today + timedelta(days=5 * 365)).isoformat()
    people = [("few@bench.example", few), ("many@bench.example", many)]
    for view, most in (("month", 1.5), ("week", 1.5), ("agenda", 1.5), ("year", 0)):
        path = f"/calendar/{view}/{today}"
        for name, before in ((view, None), (f"{view}, after a change", change), (f"{view}, anew", forget)):
            with table.row(OURS, SECTION, name):
                one, other = in_turn(path, people, before)
                limit = most if before is not forget else 0  # the first page of a process may take longer
                _add(table, name, other, one, limit or None)
                if limit:
                    detail = f"{other:.1f} of {MONTH_MS:.0f} ms of processor time"
                    table.add(OURS, SECTION, f"{name}, in times of {MONTH_MS:.0f} ms", Figure(other / MONTH_MS, detail), most=1.0)
    with table.row(OURS, SECTION, name := "a month, compressed"):
        size = len(many.get(f"/calendar/month/{today}", headers={"Accept-Encoding": "br"}).data)
        table.add(OURS, SECTION, name, Figure(size / MONTH_BYTES, f"{size} of {MONTH_BYTES} bytes"), most=1.0)
    with table.row(OURS, SECTION, name := f"{TODOS} tasks, compressed"):
        fill_todos("many@bench.example", TODOS)
        size = len(many.get("/todo", headers={"Accept-Encoding": "br"}).data)
        table.add(OURS, SECTION, name, Figure(size / TODO_BYTES, f"{size} of {TODO_BYTES} bytes"), most=1.0)
    with table.row(OURS, SECTION, name := f"{TODOS} tasks"):
        one, other = in_turn("/todo", people)
        _add(table, name, other, one)
    show_todos("many@bench.example", "few@bench.example")
    with table.row(OURS, SECTION, name := "a month with tasks shown"):
        one, other = in_turn(f"/calendar/month/{today}", people, change)
        _add(table, name, other, one)
        size = len(many.get(f"/calendar/month/{today}", headers={"Accept-Encoding": "br"}).data)
        table.add(OURS, SECTION, f"{name}, compressed", Figure(size / TODO_BYTES, f"{size} of {TODO_BYTES} bytes"), most=1.0)
    for words, query in (("all have", "words=lunch"), ("one has", f"words={_STEP * (FEW - 1)}"), ("none has", "words=nobody")):
        with table.row(OURS, SECTION, name := f"search for a word that {words}"):
            one, other = in_turn(f"/calendar/search?{query}", people)
            _add(table, name, other, one)
    with table.row(OURS, SECTION, _FREE_BUSY):
        free_busy(table, "many@bench.example")
    with table.row(OURS, SECTION, name := "a month beyond the table of occurrences"):
        one, other = in_turn(f"/calendar/month/{far}", people, forget)
        _add(table, name, other, one)


def _add(table: Table, name: str, many: float, few: float, most: float | None = None) -> None:
    table.add(OURS, SECTION, name, Figure(many / few, f"{many:.1f} / {few:.1f} ms of processor time"), most=most)


def free_busy(table: Table, address: str) -> None:
    """Busy times of 20 calendars over a week, in times of the bare query, below which nothing can go."""
    from webmail.calendar import objects
    from webmail.database.connection import db
    from webmail.models import Collection, User

    start, zone = int(time.time()), objects.zone_of("Europe/Paris")
    end = start + 7 * 86_400
    bare = 'SELECT "start", "end", "busy" FROM "occurrences" WHERE "collection_id" = %d AND "start" < %d AND "end" > %d AND "busy" > 0'
    ours, least = [], []
    with db.connection_context():
        mine = [one.id for one in Collection.select().join(User).where(User.address == address, Collection.kind == "calendar")]
        for _again in range(_TIMES):
            began = time.process_time()
            told = sum(len(objects.busy_times(number, start, end, zone)) for number in mine)
            between = time.process_time()
            known = sum(len(db.execute_sql(bare % (number, end, start)).fetchall()) for number in mine)
            ours.append((between - began) * 1000)
            least.append((time.process_time() - between) * 1000)
            assert told and known
    one, other = statistics.median(ours), statistics.median(least)
    detail = f"{one:.1f} / {other:.1f} ms of processor time"
    table.add(OURS, SECTION, _FREE_BUSY, Figure(one / other, detail))


def main(arguments: list[str]) -> int:
    events = int(arguments[0]) if arguments else EVENTS
    table = Table(datetime.now().astimezone(), {})
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        measure(table, Path(folder), events)
    for row in table.rows:
        print(f"| {row.name} | {row.figures[OURS].value:.2f} | {row.figures[OURS].detail} |")
    return 1 if table.missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
