"""The calendar's pages with 20 calendars and 20,000 events, beside one with 200: `python -m tests.bench.calendar_pages [EVENTS]`.

In `make bench` too. Processor time of a request in this process, the median of several; and the bytes of a month as compressed. "Anew":
the first time after a change, when the page is laid out again; else what was rendered is kept until one of the calendars changes.
The events lie within two years around today; a tenth of them take place ten times, weekly, as the lessons of a term do.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from werkzeug.test import Client

from tests.bench.calendars import event
from tests.bench.table import OURS, Figure, Table

CALENDARS, EVENTS, FEW = 20, 20_000, 200
SECTION = "Calendar pages, 20 calendars with 20,000 events in times of one with 200"
MONTH_BYTES, MONTH_MS = 8 * 1024, 12.0
PASSWORD = "correct horse"
_TIMES = 25
_STEP = 37  # 700 days, of which each has its turn


def fill(address: str, calendars: int, events: int, step: int = 1) -> None:
    """A person with so many calendars, and events in them. `step`: between their numbers, so that few lie within two years too."""
    from webmail.auth import passwords
    from webmail.calendar import objects
    from webmail.collections import store
    from webmail.database.connection import db
    from webmail.models import Collection, User

    local, _at, domain = address.partition("@")
    zone = objects.zone_of("Europe/Paris")
    with db.connection_context(), db.atomic():
        user = User.create(address=address, local=local, domain=domain, password=passwords.hash_password(PASSWORD))
        made = [store.first(user, store.CALENDAR)]
        for number in range(1, calendars):
            props = f'{{"D:displayname": "Calendar {number}"}}'
            made.append(Collection.create(user=user, name=f"c{number}", kind="calendar", components="VEVENT", props=props))
        for number in range(0, events * step, step):
            text = event(number).replace("FREQ=WEEKLY", "FREQ=WEEKLY;COUNT=10")
            objects.write(made[number % calendars].id, f"{number}.ics", text, objects.prepared(text, zone), None)


def visitor(app: Any, address: str) -> Client:
    from tests.support.visits import Visitor

    one = Visitor(app, address, PASSWORD)
    one.submit(one.get("/login"), "form[action='/login']", follow=False, username=address, password=PASSWORD)
    client: Client = one.client
    return client


def asked(client: Client, path: str, *, anew: bool = False) -> float:
    """Milliseconds of processor time, the median of several requests; `anew`: with nothing kept of it."""
    from webmail.web import fragment_cache

    took = []
    for _again in range(_TIMES):
        if anew:
            for key in [one for one in fragment_cache._fragments._kept if one[1] == "calendar"]:
                del fragment_cache._fragments._kept[key]
        began = time.process_time()
        answer = client.get(path, headers={"Accept-Encoding": "identity"})
        took.append((time.process_time() - began) * 1000)
        assert answer.status_code == 200, (path, answer.status)
    return statistics.median(took)


def measure(table: Table, folder: Path, events: int = EVENTS) -> None:
    from webmail import create_app

    app = create_app(folder / "pages", sign_in="accounts", domain="bench.example", secure_cookies=False, imap_port=1)
    fill("few@bench.example", 1, FEW, _STEP)
    fill("many@bench.example", CALENDARS, events)
    few, many = (visitor(app, f"{name}@bench.example") for name in ("few", "many"))
    today = datetime.now().date()
    far = (today + timedelta(days=5 * 365)).isoformat()
    for view, most in (("month", 1.5), ("week", 0), ("agenda", 0), ("year", 0)):
        path = f"/calendar/{view}/{today}"
        one, other = asked(few, path), asked(many, path)
        table.add(OURS, SECTION, view, Figure(other / one, f"{other:.1f} / {one:.1f} ms of processor time"), most=most or None)
        one, other = asked(few, path, anew=True), asked(many, path, anew=True)
        table.add(OURS, SECTION, f"{view}, anew", Figure(other / one, f"{other:.1f} / {one:.1f} ms of processor time"))
        if view == "month":
            size = len(many.get(path, headers={"Accept-Encoding": "br"}).data)
            table.add(
                OURS, SECTION, "a month, compressed", Figure(size / MONTH_BYTES, f"{size} of {MONTH_BYTES} bytes"), most=1.0
            )
    for name, query in (("all have", "words=lunch"), ("one has", f"words={_STEP * (FEW - 1)}"), ("none has", "words=nobody")):
        one, other = (asked(person, f"/calendar/search?{query}") for person in (few, many))
        table.add(
            OURS, SECTION, f"search for a word that {name}", Figure(other / one, f"{other:.1f} / {one:.1f} ms of processor time")
        )
    one, other = (asked(person, f"/calendar/month/{far}", anew=True) for person in (few, many))
    free_busy(table, "many@bench.example")
    table.add(OURS, SECTION, "a month beyond the table of occurrences", Figure(other / one, f"{other:.1f} / {one:.1f} ms"))


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
    table.add(OURS, SECTION, "busy times of 20 calendars over a week, in times of the bare query", Figure(one / other, detail))


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
